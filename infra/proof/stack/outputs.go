package stack

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Outputs returns the outputs of the CloudFormation stack by name.
func (s *Stack) Outputs(ctx context.Context) (map[string]string, error) {
	query := url.Values{"Action": {"DescribeStacks"}, "Version": {"2010-05-15"}, "StackName": {s.Name}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Env["AWS_ENDPOINT_URL"]+"/", strings.NewReader(query.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := send(request, "DescribeStacks of "+s.Name)
	if err != nil {
		return nil, err
	}
	return readOutputs(answer)
}

// readOutputs reads the outputs of the first stack of an answer to DescribeStacks.
func readOutputs(answer []byte) (map[string]string, error) {
	var described struct {
		Outputs []struct {
			Key   string `xml:"OutputKey"`
			Value string `xml:"OutputValue"`
		} `xml:"DescribeStacksResult>Stacks>member>Outputs>member"`
	}
	if err := xml.Unmarshal(answer, &described); err != nil {
		return nil, fmt.Errorf("describe the stack: %w", err)
	}
	outputs := map[string]string{}
	for _, o := range described.Outputs {
		outputs[o.Key] = o.Value
	}
	return outputs, nil
}
