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

// Role makes a role that Lambda and Step Functions may take, with every right, and
// returns its ARN.
func (s *Stack) Role(ctx context.Context, name string) (string, error) {
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
		"Principal":{"Service":["lambda.amazonaws.com","states.amazonaws.com"]}}]}`
	const every = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	answer, err := s.iam(ctx, "CreateRole", url.Values{"RoleName": {name}, "AssumeRolePolicyDocument": {trust}})
	if err != nil {
		return "", err
	}
	var created struct {
		ARN string `xml:"CreateRoleResult>Role>Arn"`
	}
	if err := xml.Unmarshal(answer, &created); err != nil {
		return "", fmt.Errorf("create the role %s: %w", name, err)
	}
	_, err = s.iam(ctx, "PutRolePolicy", url.Values{"RoleName": {name}, "PolicyName": {"every"}, "PolicyDocument": {every}})
	return created.ARN, err
}

// iam calls an action of IAM.
func (s *Stack) iam(ctx context.Context, action string, values url.Values) ([]byte, error) {
	values.Set("Action", action)
	values.Set("Version", iamVersion)
	return s.ask(ctx, "iam", action, []byte(values.Encode()), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
}
