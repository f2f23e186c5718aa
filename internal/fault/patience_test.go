package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"etl-dataloader/internal/fault"
)

// clock is a time that only sleeping moves.
type clock struct {
	now    time.Time
	sleeps int
}

func (c *clock) patience() *fault.Patience {
	return &fault.Patience{
		Now: func() time.Time { return c.now },
		Sleep: func(ctx context.Context, d time.Duration) error {
			c.now = c.now.Add(d)
			c.sleeps++
			return ctx.Err()
		},
	}
}

func TestPatience(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Unix(0, 0)}
	p := c.patience()
	tries := func(action string, refusals int) (n int, waited time.Duration) {
		from := c.now
		p.Try(t.Context(), action, func() bool { n++; return n <= refusals })
		return n, c.now.Sub(from)
	}
	if n, waited := tries("a", 0); n != 1 || waited != 0 {
		t.Errorf("what is allowed took %d tries and %v", n, waited)
	}
	if n, waited := tries("a", 3); n != 4 || waited > 2*time.Second {
		t.Errorf("what is refused three times took %d tries and %v", n, waited)
	}
	if n, waited := tries("a", 1000); n < 5 || n > 12 || waited < 10*time.Second || waited > 12*time.Second {
		t.Errorf("what stays refused took %d tries and %v, want about ten seconds", n, waited)
	}
	if n, waited := tries("a", 1000); n != 1 || waited != 0 {
		t.Errorf("what stayed refused took %d more tries and %v", n, waited)
	}
	if n, _ := tries("b", 1); n != 2 {
		t.Errorf("another action was tried %d times, want 2", n)
	}
	c.now = c.now.Add(5 * time.Minute)
	if n, _ := tries("a", 1); n != 2 {
		t.Errorf("five minutes later it was tried %d times, want 2", n)
	}
	var none *fault.Patience
	n := 0
	none.Try(t.Context(), "a", func() bool { n++; return true })
	if n != 1 {
		t.Errorf("without patience it was tried %d times", n)
	}
}

// TestPatienceEndsWithItsCaller: waiting ends when the time of the function is up.
func TestPatienceEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n := 0
	fault.NewPatience(time.Now).Try(ctx, "a", func() bool { n++; return true })
	if n != 1 {
		t.Errorf("tried %d times", n)
	}
}

// answers is a server that refuses the first requests and notes each body.
func answers(t *testing.T, refusals int, refusal func(http.ResponseWriter), success string) (url string, bodies *[]string) {
	t.Helper()
	bodies = new([]string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*bodies = append(*bodies, string(body))
		if len(*bodies) <= refusals {
			refusal(w)
			return
		}
		_, _ = io.WriteString(w, success)
	}))
	t.Cleanup(server.Close)
	return server.URL, bodies
}

func config(p *fault.Patience, url string) aws.Config {
	return aws.Config{
		Region: "eu-west-3", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), BaseEndpoint: &url,
		APIOptions: []func(*middleware.Stack) error{p.ForAWS},
	}
}

const deniedKey = "arn:aws:kms:eu-west-3:123456789012:key/abc"

func refuseKMS(w http.ResponseWriter) {
	w.WriteHeader(http.StatusBadRequest)
	_, _ = fmt.Fprintf(w, `{"__type":"AccessDeniedException","Message":"User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform: kms:Decrypt on resource: %s because no identity-based policy allows the kms:Decrypt action"}`, deniedKey)
}

func refuseS3(w http.ResponseWriter) {
	w.WriteHeader(http.StatusForbidden)
	_, _ = io.WriteString(w, `<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
}

// TestClientsArePatient: a permission that comes late is waited for, with the
// whole body sent each time, and one that never comes is named.
func TestClientsArePatient(t *testing.T) {
	t.Parallel()
	for refusals, denied := range map[int]bool{3: false, 1000: true} {
		c := &clock{now: time.Unix(0, 0)}
		url, _ := answers(t, refusals, refuseKMS, `{}`)
		_, err := kms.NewFromConfig(config(c.patience(), url)).Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: []byte("x")})
		var got *fault.AccessDenied
		if errors.As(fault.FromAWS("open", err), &got) != denied {
			t.Errorf("refused %d times: %v", refusals, err)
		}
		if denied && (got.Action != "kms:Decrypt" || got.Resource != deniedKey) {
			t.Errorf("it names %q on %q", got.Action, got.Resource)
		}
		if waited := c.now.Sub(time.Unix(0, 0)); waited > 12*time.Second || waited == 0 {
			t.Errorf("refused %d times: waited %v", refusals, waited)
		}

		c = &clock{now: time.Unix(0, 0)}
		url, bodies := answers(t, refusals, refuseS3, ``)
		client := s3.NewFromConfig(config(c.patience(), url), func(o *s3.Options) { o.UsePathStyle = true })
		_, err = client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("b"), Key: aws.String("k"), Body: strings.NewReader("whole")})
		if errors.As(fault.FromAWS("write", err), &got) != denied {
			t.Errorf("refused %d times: %v", refusals, err)
		}
		if denied && (got.Action != "s3:PutObject" || fault.Retryable(fault.Name(got))) {
			t.Errorf("it names %q", got.Action)
		}
		for i, body := range *bodies {
			if !strings.Contains(body, "whole") {
				t.Errorf("request %d was sent with the body %q", i+1, body)
			}
		}
	}
}

// TestBodyReadOnce: what cannot be sent again is sent once.
func TestBodyReadOnce(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Unix(0, 0)}
	url, bodies := answers(t, 1, refuseS3, ``)
	client := s3.NewFromConfig(config(c.patience(), url), func(o *s3.Options) { o.UsePathStyle = true },
		s3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware))
	_, err := client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("b"), Key: aws.String("k"), Body: io.MultiReader(strings.NewReader("whole")), ContentLength: aws.Int64(5),
	})
	if err == nil || len(*bodies) != 1 {
		t.Errorf("%d requests, %v", len(*bodies), err)
	}
}
