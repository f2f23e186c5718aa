package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// cloud is the emulated AWS of a stack.
type cloud struct {
	endpoint   string
	landing    string // bucket
	work       string // bucket
	machine    string // ARN of the state machine
	objects    *s3.Client
	upload     *transfermanager.Client
	functions  *lambda.Client
	executions *sfn.Client
	registry   *registry.Registry
}

// connect makes the clients.
func connect(s *stack) *cloud {
	endpoint := s.env["AWS_ENDPOINT_URL"]
	cfg := aws.Config{
		Region: s.env["AWS_REGION"], BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(s.env["AWS_ACCESS_KEY_ID"], s.env["AWS_SECRET_ACCESS_KEY"], ""),
	}
	objects := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle, o.BaseEndpoint = true, aws.String(s.env["AWS_ENDPOINT_URL_S3"]) })
	return &cloud{
		endpoint: endpoint, landing: s.env["LANDING_BUCKET"], work: s.env["WORK_BUCKET"], machine: s.env["STATE_MACHINE_ARN"],
		objects: objects,
		upload: transfermanager.New(objects, func(o *transfermanager.Options) {
			o.PartSizeBytes, o.MultipartUploadThreshold, o.Concurrency = 16<<20, 16<<20, 2
		}),
		// A phase over a chunk may take minutes; a call that failed is an error of the benchmark.
		functions: lambda.NewFromConfig(cfg, func(o *lambda.Options) {
			o.RetryMaxAttempts, o.HTTPClient = 1, &http.Client{Timeout: 15 * time.Minute}
		}),
		executions: sfn.NewFromConfig(cfg),
		registry:   registry.New(dynamodb.NewFromConfig(cfg), s.env["REGISTRY_TABLE"], time.Now),
	}
}

// put uploads a file into the landing bucket.
func (c *cloud) put(ctx context.Context, mode etl.Mode, file string) error {
	body, err := os.Open(file) //nolint:gosec // a file that the sample generator made
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	_, err = c.upload.UploadObject(ctx, &transfermanager.UploadObjectInput{
		Bucket: &c.landing, Key: aws.String(string(mode) + "/" + path.Base(file)), Body: body,
	})
	return err
}

// putAll uploads files one after the other.
func (c *cloud) putAll(ctx context.Context, mode etl.Mode, files []string) error {
	for _, file := range files {
		if err := c.put(ctx, mode, file); err != nil {
			return err
		}
	}
	return nil
}

// Waits ask at first every pollAtFirst, then after a fiftieth of the time waited
// so far: what they see is late by 2% at most, and a long import, whose emulator
// answers them on the same two cores, is hardly asked at all.
const (
	pollAtFirst = 50 * time.Millisecond
	pollShare   = 50
)

// poll asks again and again until done.
func poll(ctx context.Context, what string, limit time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%s: not within %s", what, limit))
	defer cancel()
	began := time.Now()
	for {
		ok, err := done()
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if ok {
			return nil
		}
		timer := time.NewTimer(max(pollAtFirst, time.Since(began)/pollShare))
		select {
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-timer.C:
		}
	}
}

// errNotSucceeded reports an import that ended otherwise.
var errNotSucceeded = errors.New("the import did not succeed")

// await waits until the import of a date is «réussi» and returns it.
func (c *cloud) await(ctx context.Context, mode etl.Mode, date string, limit time.Duration) (imp registry.Import, err error) {
	err = poll(ctx, "import of "+date, limit, func() (bool, error) {
		id, found, err := c.registry.ImportOf(ctx, mode, date)
		if err != nil || !found {
			return false, err
		}
		if imp, err = c.registry.Import(ctx, id); err != nil {
			return false, err
		}
		if imp.Status == etl.StatusFailed {
			return false, fmt.Errorf("%w: %s: %s, %s", errNotSucceeded, id, imp.Step, imp.Reason)
		}
		return imp.Status == etl.StatusSucceeded, nil
	})
	return imp, err
}

// calls switches the emulator's CloudTrail on, from which [cloud.counted] reads.
func (c *cloud) record(ctx context.Context, on bool) error {
	_, err := c.post(ctx, "/_ministack/config", "", map[string]any{"cloudtrail._recording_enabled": on})
	return err
}

// counted is how often an operation of KMS was called while CloudTrail recorded.
// The emulator remembers the last 10,000 calls of all services.
func (c *cloud) counted(ctx context.Context, operation string) (int, error) {
	seen := map[string]bool{}
	end := float64(time.Now().Add(time.Minute).Unix())
	for {
		text, err := c.post(ctx, "/", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents", map[string]any{
			"LookupAttributes": []map[string]string{{"AttributeKey": "EventName", "AttributeValue": operation}}, "EndTime": end,
		})
		if err != nil {
			return 0, err
		}
		var page struct {
			Events []struct {
				EventID   string `json:"EventId"`
				EventTime float64
			}
		}
		if err := json.Unmarshal(text, &page); err != nil {
			return 0, fmt.Errorf("LookupEvents: %w", err)
		}
		known := len(seen)
		for _, e := range page.Events {
			seen[e.EventID] = true
			end = min(end, e.EventTime)
		}
		if len(seen) == known {
			return known, nil
		}
	}
}

// post sends JSON to the emulator.
func (c *cloud) post(ctx context.Context, at, target string, body any) ([]byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint+at, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	if target != "" {
		request.Header.Set("X-Amz-Target", target)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err = io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s", at, target, answer.Status)
	}
	return text, err
}
