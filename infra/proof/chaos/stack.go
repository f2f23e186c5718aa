package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"etl-dataloader/internal/contract"
)

const stackName = "etl-chaos"

// parameters of the stack: small chunks so that a small file has several, any
// number of rejects, and two chunks in work at a time.
const parameters = "ChunkBytes=1048576 ChunkRecords=80 MaxConcurrency=2 RejectBudget=*=100%"

// optional parameters are set if the template declares them: without automatic
// redrives each cell decides itself when one comes.
func optional() map[string]string { return map[string]string{"AutomaticRedrives": "0"} }

// stack is the local stack that the cells share, and the faults' means.
type stack struct {
	folder   string // LOCAL_DIR
	env      map[string]string
	contract *contract.Package
	proxy    *proxy
	source   *source // of the enrichment

	s3      *s3.Client
	lambda  *lambda.Client
	sfn     *sfn.Client
	sns     *sns.Client
	dynamo  *dynamodb.Client
	kms     *kms.Client
	secrets *secretsmanager.Client
}

// start brings a fresh stack up and puts the proxy between it and PostgreSQL. The
// caller stops the stack, also after an error.
func start(ctx context.Context, folder string) (s *stack, err error) {
	s = &stack{folder: folder}
	if s.contract, err = contract.Load(); err != nil {
		return s, err
	}
	if s.source, err = newSource(ctx); err != nil {
		return s, err
	}
	for _, command := range []string{"reset", "up"} {
		if err := s.control(ctx, command); err != nil {
			return s, err
		}
	}
	if err := s.readEnv(); err != nil {
		return s, err
	}
	s.connect()
	return s, s.divert(ctx)
}

// control runs infra/local/stack.py.
func (s *stack) control(ctx context.Context, command string) error {
	chosen := parameters
	template, err := os.ReadFile("template.yaml")
	if err != nil {
		return err
	}
	for name, value := range optional() {
		if bytes.Contains(template, []byte("\n  "+name+":\n    Type:")) {
			chosen += " " + name + "=" + value
		}
	}
	cmd := exec.CommandContext(ctx, "python3", "infra/local/stack.py", command) //nolint:gosec // our own words
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.Env = []string{
		"LOCAL_DIR=" + s.folder, "LOCAL_STACK_NAME=" + stackName, "LOCAL_PARAMETERS=" + chosen, "LOCAL_LOG_LEVEL=WARNING",
		"LOCAL_ENRICHMENT_URL=" + s.source.url(), "SFN_WAIT_SCALE=0.002",
	}
	for _, pair := range os.Environ() {
		switch name, _, _ := strings.Cut(pair, "="); name {
		case "LOCAL_DIR", "LOCAL_STACK_NAME", "DATABASE_URL", "AWS_ENDPOINT_URL", "LOCAL_PARAMETERS", "SFN_WAIT_SCALE":
		default:
			cmd.Env = append(cmd.Env, pair)
		}
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("stack.py %s: %w", command, err)
	}
	return nil
}

// stop ends everything that start started; the logs stay in the folder.
func (s *stack) stop(ctx context.Context) error {
	if s.source == nil {
		return nil // nothing was started
	}
	if s.proxy != nil {
		s.proxy.close()
	}
	err := s.control(ctx, "down")
	return errors.Join(err, s.source.stop())
}

func (s *stack) readEnv() error {
	text, err := os.ReadFile(filepath.Join(s.folder, "env"))
	if err != nil {
		return err
	}
	s.env = map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			s.env[name] = value
		}
	}
	return nil
}

func (s *stack) connect() {
	config := aws.Config{
		Region: s.env["AWS_REGION"], BaseEndpoint: aws.String(s.env["AWS_ENDPOINT_URL"]),
		Credentials: credentials.NewStaticCredentialsProvider(s.env["AWS_ACCESS_KEY_ID"], s.env["AWS_SECRET_ACCESS_KEY"], ""),
	}
	s.s3 = s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle, o.BaseEndpoint = true, aws.String(s.env["AWS_ENDPOINT_URL_S3"]) })
	s.lambda, s.sfn, s.sns = lambda.NewFromConfig(config), sfn.NewFromConfig(config), sns.NewFromConfig(config)
	s.dynamo, s.kms, s.secrets = dynamodb.NewFromConfig(config), kms.NewFromConfig(config), secretsmanager.NewFromConfig(config)
}

// divert changes the database secret, which no function has read yet, so that
// they reach PostgreSQL through the proxy.
func (s *stack) divert(ctx context.Context) error {
	u, err := url.Parse(s.env["DATABASE_URL"])
	if err != nil {
		return errors.New("DATABASE_URL of the stack is no URL")
	}
	if s.proxy, err = newProxy(ctx, u.Host); err != nil {
		return err
	}
	id := aws.String(s.env["DATABASE_SECRET_ARN"])
	out, err := s.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: id})
	if err != nil {
		return err
	}
	secret := map[string]any{}
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &secret); err != nil {
		return err
	}
	secret["host"], secret["port"] = "127.0.0.1", s.proxy.port()
	text, err := json.Marshal(secret)
	if err != nil {
		return err
	}
	_, err = s.secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: id, SecretString: aws.String(string(text))})
	return err
}

// armed is what the emulator says of the armed fault.
type armed struct {
	Struck, Held, Running, Killed int
}

// tell asks the emulator for one of the actions of infra/local/emulator/faults.py.
func (s *stack) tell(ctx context.Context, action string, in map[string]any) (out armed, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.env["AWS_ENDPOINT_URL"]+"/", bytes.NewReader(body))
	if err != nil {
		return out, err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "AWSStepFunctions."+action)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return out, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return out, err
	}
	if response.StatusCode != http.StatusOK {
		return out, fmt.Errorf("%s: %s %.300s", action, response.Status, answer)
	}
	return out, json.Unmarshal(answer, &out)
}

// source is the enrichment source, a process of our own so that it can be gone.
type source struct {
	address string
	cmd     *exec.Cmd
}

func newSource(ctx context.Context) (*source, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &source{address: listener.Addr().String()}
	return s, errors.Join(listener.Close(), s.start(ctx))
}

func (s *source) url() string { return "http://" + s.address }

// start starts the process and waits until it answers.
func (s *source) start(ctx context.Context) error {
	s.cmd = exec.Command("build/local/enrichment", "-addr", s.address) //nolint:gosec,noctx // it outlives the call
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("build/local/enrichment: %w", err)
	}
	return until(ctx, "the enrichment source", func() (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url()+"/health", nil)
		if err != nil {
			return false, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, nil //nolint:nilerr // not yet
		}
		return response.StatusCode == http.StatusOK, response.Body.Close()
	})
}

// stop kills the process, if it runs.
func (s *source) stop() error {
	if s.cmd == nil {
		return nil
	}
	err := s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
	return err
}
