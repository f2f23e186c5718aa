package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
)

// answer is what CloudFormation is told.
type answer struct {
	Status             string
	Reason             string
	PhysicalResourceID string `json:"PhysicalResourceId"`
}

// call calls the function and returns what CloudFormation is told, and how often.
func call(t *testing.T, ctx context.Context, m migration, event cfn.Event) (told answer, times int) {
	t.Helper()
	cloudFormation := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		times++
		if err := json.NewDecoder(r.Body).Decode(&told); err != nil {
			t.Error(err)
		}
	}))
	defer cloudFormation.Close()
	event.ResponseURL = cloudFormation.URL
	event.StackID, event.RequestID, event.LogicalResourceID = "stack", "request", "Schema"
	if _, err := cfn.LambdaWrap(m.handle)(ctx, event); err != nil {
		t.Errorf("the answer: %v", err)
	}
	return told, times
}

// secrets is Secrets Manager, which gives this answer.
func secrets(t *testing.T, status int, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// environment sets the function's environment to these variables alone.
func environment(t *testing.T, variables map[string]string) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "eu-west-3", "AWS_MAX_ATTEMPTS": "1",
		"AWS_ENDPOINT_URL": "", "DATABASE_SECRET_ARN": "", "LANDING_BUCKET": "", "WORK_BUCKET": "", "REGISTRY_TABLE": "", "LOG_LEVEL": "",
	} {
		t.Setenv(name, value)
	}
	for name, value := range variables {
		t.Setenv(name, value)
	}
}

// TestFailureIsAnswered: whatever keeps the function from its work, CloudFormation
// is told once, and why.
func TestFailureIsAnswered(t *testing.T) {
	notFound := `{"__type":"ResourceNotFoundException","message":"no such secret"}`
	for name, test := range map[string]struct {
		environment map[string]string
		reason      string
		late        bool
	}{
		"a setting is missing":    {nil, "DATABASE_SECRET_ARN", false},
		"a setting is unusable":   {map[string]string{"CHUNK_BYTES": "many"}, "CHUNK_BYTES", false},
		"there is no such secret": {map[string]string{"DATABASE_SECRET_ARN": "s", "AWS_ENDPOINT_URL": secrets(t, 400, notFound)}, "no such secret", false},
		"the secret is no JSON":   {map[string]string{"DATABASE_SECRET_ARN": "s", "AWS_ENDPOINT_URL": secrets(t, 200, `{"SecretString":"x"}`)}, "the JSON that RDS writes", false},
		"nobody answers":          {map[string]string{"DATABASE_SECRET_ARN": "s", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "read the database secret s", false},
		"time is up":              {map[string]string{"DATABASE_SECRET_ARN": "s", "AWS_ENDPOINT_URL": secrets(t, 400, notFound)}, "read the database secret s", true},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, test.environment)
			ctx, m := t.Context(), migration{}
			if test.late { // so little of the function's time is left that all is kept for the answer
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, time.Hour)
				defer cancel()
				m.spare = 2 * time.Hour
			}
			told, times := call(t, ctx, m, cfn.Event{RequestType: cfn.RequestCreate})
			if told.Status != "FAILED" || times != 1 || !strings.Contains(told.Reason, test.reason) || told.PhysicalResourceID == "" {
				t.Errorf("told %+v, %d times", told, times)
			}
		})
	}
}

// TestDeleteNeedsNothing: a stack that could not be made can be rolled back.
func TestDeleteNeedsNothing(t *testing.T) {
	environment(t, nil)
	told, times := call(t, t.Context(), migration{}, cfn.Event{RequestType: cfn.RequestDelete, PhysicalResourceID: "schema"})
	if want := (answer{Status: "SUCCESS", PhysicalResourceID: "schema"}); told != want || times != 1 {
		t.Errorf("told %+v, %d times", told, times)
	}
}
