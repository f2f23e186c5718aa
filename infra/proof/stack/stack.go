// Package stack is the client of the local stack that the proofs share (bench,
// chaos and e2e). It starts and stops a stack, uploads files, calls functions,
// reads the registry, and waits for what comes of it. It shares no code with the
// product but its vocabulary.
//
// All paths are relative to the repository's root, where its users run.
package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// Stack is a local stack that is up.
type Stack struct {
	Folder    string            // LOCAL_DIR
	Name      string            // of the CloudFormation stack
	Env       map[string]string // LOCAL_DIR/env
	Processes Processes

	S3       *s3.Client
	Lambda   *lambda.Client
	SFN      *sfn.Client
	SNS      *sns.Client
	DynamoDB *dynamodb.Client
	KMS      *kms.Client
	Secrets  *secretsmanager.Client

	uploads *transfermanager.Client

	mu    sync.Mutex
	names []string // of the functions, once they were listed
}

// Processes are the ids of the stack's processes, 0 for those that it does not
// run itself, and how to reach its PostgreSQL.
type Processes struct {
	Emulator   int    `json:"emulator_pid"`
	Front      int    `json:"front_pid"`
	Postgres   int    `json:"postgres_pid"`
	Enrichment int    `json:"enrichment_pid"`
	Port       int    `json:"postgres_port"`
	Password   string `json:"postgres_password"` // of the superuser
}

// Start forgets what an earlier run left and starts a new stack. The caller stops
// it with [Settings.Control], even after an error.
func Start(ctx context.Context, settings Settings) (*Stack, error) {
	for _, command := range []string{"reset", "up"} {
		if err := settings.Control(ctx, command); err != nil {
			return nil, err
		}
	}
	return Open(settings.Folder)
}

// Open connects to the stack whose files are in a folder.
func Open(folder string) (*Stack, error) {
	s := &Stack{Folder: folder}
	var err error
	if s.Env, err = readEnv(filepath.Join(folder, "env")); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(folder, "stack.json")) //nolint:gosec // the stack's own
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &s.Processes); err != nil {
		return nil, fmt.Errorf("stack.json: %w", err)
	}
	if s.Processes.Emulator == 0 {
		return nil, errors.New("the stack is not up")
	}
	machine := s.Env["STATE_MACHINE_ARN"]
	s.Name = strings.TrimSuffix(machine[strings.LastIndexByte(machine, ':')+1:], "-import")
	s.connect()
	return s, nil
}

// readEnv reads a file of lines NAME=value.
func readEnv(path string) (map[string]string, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the stack's own
	if err != nil {
		return nil, err
	}
	env := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			env[name] = value
		}
	}
	return env, nil
}

func (s *Stack) connect() {
	config := aws.Config{
		Region:       s.Env["AWS_REGION"],
		BaseEndpoint: aws.String(s.Env["AWS_ENDPOINT_URL"]),
		Credentials:  credentials.NewStaticCredentialsProvider(s.Env["AWS_ACCESS_KEY_ID"], s.Env["AWS_SECRET_ACCESS_KEY"], ""),
	}
	s.S3 = s3.NewFromConfig(config, func(o *s3.Options) {
		o.UsePathStyle, o.BaseEndpoint = true, aws.String(s.Env["AWS_ENDPOINT_URL_S3"])
	})
	s.uploads = transfermanager.New(s.S3, func(o *transfermanager.Options) {
		o.PartSizeBytes, o.MultipartUploadThreshold, o.Concurrency = 16<<20, 16<<20, 2
	})
	s.Lambda, s.SFN, s.SNS = lambda.NewFromConfig(config), sfn.NewFromConfig(config), sns.NewFromConfig(config)
	s.DynamoDB, s.KMS, s.Secrets = dynamodb.NewFromConfig(config), kms.NewFromConfig(config), secretsmanager.NewFromConfig(config)
}

// Superuser is the connection string of the superuser of the stack's own
// PostgreSQL, for one of its databases.
func (s *Stack) Superuser(database string) string {
	u := url.URL{
		Scheme: "postgresql", User: url.UserPassword("postgres", s.Processes.Password),
		Host: fmt.Sprintf("127.0.0.1:%d", s.Processes.Port), Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}
