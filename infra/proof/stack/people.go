package stack

import (
	"context"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
)

// iamVersion is the version of the IAM API.
const iamVersion = "2010-05-08"

// As returns the stack in the hands of a new IAM user, who has the policies of these
// ARNs and no other right.
func (s *Stack) As(ctx context.Context, user string, policies ...string) (*Stack, error) {
	if _, err := s.iam(ctx, "CreateUser", url.Values{"UserName": {user}}); err != nil {
		return nil, err
	}
	for _, arn := range policies {
		if _, err := s.iam(ctx, "AttachUserPolicy", url.Values{"UserName": {user}, "PolicyArn": {arn}}); err != nil {
			return nil, err
		}
	}
	answer, err := s.iam(ctx, "CreateAccessKey", url.Values{"UserName": {user}})
	if err != nil {
		return nil, err
	}
	var created struct {
		ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
		Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
	}
	if err := xml.Unmarshal(answer, &created); err != nil {
		return nil, fmt.Errorf("create the access key of %s: %w", user, err)
	}
	as := &Stack{Folder: s.Folder, Name: s.Name, Env: maps.Clone(s.Env), Processes: s.Processes}
	as.Env["AWS_ACCESS_KEY_ID"], as.Env["AWS_SECRET_ACCESS_KEY"] = created.ID, created.Secret
	as.connect()
	return as, nil
}

// iam calls an action of IAM.
func (s *Stack) iam(ctx context.Context, action string, values url.Values) ([]byte, error) {
	values.Set("Action", action)
	values.Set("Version", iamVersion)
	return s.ask(ctx, "iam", action, []byte(values.Encode()), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
}
