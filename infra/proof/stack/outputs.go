package stack

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
)

// Outputs returns the outputs of the CloudFormation stack by name.
func (s *Stack) Outputs(ctx context.Context) (map[string]string, error) {
	query := url.Values{"Action": {"DescribeStacks"}, "Version": {"2010-05-15"}, "StackName": {s.Name}}
	answer, err := s.ask(ctx, "cloudformation", "DescribeStacks of "+s.Name, []byte(query.Encode()), http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"},
	})
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
