//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/jackc/pgx/v5/pgxpool"

	"etl-dataloader/internal/contract"
)

// stack is the local stack under test, and how to talk to its parts.
type stack struct {
	env       map[string]string
	root      string // of the repository
	local     string // of the stack's own files
	dir       string // for the files of the story
	name      string // of the CloudFormation stack
	contract  *contract.Package
	db        *pgxpool.Pool
	s3        *s3.Client
	lambda    *lambda.Client
	sfn       *sfn.Client
	sns       *sns.Client
	dynamo    *dynamodb.Client
	kms       *kms.Client
	functions map[string]string // names by logical id, such as "IntakeFunction"
	queue     string            // URL of the queue that receives the alerts
	alerts    []alert           // received so far
}

// open connects to the stack of E2E_ENV.
func open(t *testing.T) *stack {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{root: root, dir: t.TempDir()}
	s.env, s.local = readEnv(t, root)
	if s.contract, err = contract.Load(); err != nil {
		t.Fatal(err)
	}
	if s.db, err = pgxpool.New(t.Context(), s.env["DATABASE_URL"]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.db.Close)
	machine := s.env["STATE_MACHINE_ARN"]
	s.name = strings.TrimSuffix(machine[strings.LastIndexByte(machine, ':')+1:], "-import")
	config := aws.Config{
		Region:       s.env["AWS_REGION"],
		BaseEndpoint: aws.String(s.env["AWS_ENDPOINT_URL"]),
		Credentials:  credentials.NewStaticCredentialsProvider(s.env["AWS_ACCESS_KEY_ID"], s.env["AWS_SECRET_ACCESS_KEY"], ""),
	}
	s.s3 = s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle, o.BaseEndpoint = true, aws.String(s.env["AWS_ENDPOINT_URL_S3"]) })
	s.lambda, s.sfn, s.sns = lambda.NewFromConfig(config), sfn.NewFromConfig(config), sns.NewFromConfig(config)
	s.dynamo, s.kms = dynamodb.NewFromConfig(config), kms.NewFromConfig(config)
	s.functions = s.functionNames(t)
	s.subscribe(t)
	return s
}

// readEnv reads the KEY=VALUE file that E2E_ENV names, and tells its folder.
func readEnv(t *testing.T, root string) (env map[string]string, folder string) {
	t.Helper()
	path := os.Getenv("E2E_ENV")
	if path == "" {
		t.Fatal("E2E_ENV does not name the settings of a local stack: run `make e2e`")
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(root, path)
	}
	text, err := os.ReadFile(path) //nolint:gosec // the settings of the stack under test
	if err != nil {
		t.Fatal(err)
	}
	env = map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			env[name] = value
		}
	}
	return env, filepath.Dir(path)
}

// functionNames maps the template's logical ids to the functions' names.
func (s *stack) functionNames(t *testing.T) map[string]string {
	t.Helper()
	names := map[string]string{}
	pages := lambda.NewListFunctionsPaginator(s.lambda, &lambda.ListFunctionsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range page.Functions {
			name := aws.ToString(f.FunctionName)
			if rest, ours := strings.CutPrefix(name, s.name+"-"); ours {
				id, _, _ := strings.Cut(rest, "-")
				names[id] = name
			}
		}
	}
	return names
}

// invoke calls a function with a JSON event and returns its answer, or the name
// and text of its error.
func (s *stack) invoke(t *testing.T, function string, event any) (answer map[string]any, failed string) {
	t.Helper()
	body, ok := event.([]byte)
	if !ok {
		var err error
		if body, err = json.Marshal(event); err != nil {
			t.Fatal(err)
		}
	}
	name, ok := s.functions[function]
	if !ok {
		t.Fatalf("the stack has no %s, only %v", function, s.functions)
	}
	out, err := s.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: body})
	if err != nil {
		t.Fatalf("invoke %s: %v", function, err)
	}
	if err := json.Unmarshal(out.Payload, &answer); err != nil {
		t.Fatalf("%s answered %.200s: %v", function, out.Payload, err)
	}
	if out.FunctionError != nil {
		return nil, text(answer["errorType"]) + ": " + text(answer["errorMessage"])
	}
	return answer, ""
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// call speaks the JSON protocol of an AWS service that the product itself has no
// client for; the emulator checks no signature.
func (s *stack) call(ctx context.Context, t *testing.T, target string, in, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.env["AWS_ENDPOINT_URL"]+"/", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", target)
	answer := s.do(t, request)
	if err := json.Unmarshal(answer, out); len(answer) > 0 && err != nil {
		t.Fatalf("%s answered %.200s: %v", target, answer, err)
	}
}

// do sends a request and returns the body of its answer, which must be 200.
func (s *stack) do(t *testing.T, request *http.Request) []byte {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %.300s", request.Method, request.URL, response.Status, body)
	}
	return body
}
