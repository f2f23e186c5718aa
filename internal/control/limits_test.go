package control_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/awstest"
	"etl-dataloader/internal/awstest/memory"
	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/report"
)

// limitedTopic refuses what Amazon SNS refuses.
type limitedTopic struct{ published []*sns.PublishInput }

func (t *limitedTopic) Publish(_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	if err := awstest.Check(in); err != nil {
		return nil, err
	}
	t.published = append(t.published, in)
	return &sns.PublishOutput{}, nil
}

// shelf keeps reports in a bucket in memory.
type shelf struct{ objects *memory.Bucket }

func (shelf) Bucket() string { return bucketName }

func (s shelf) Put(ctx context.Context, key, _ string, content []byte) error {
	_, err := s.objects.PutObject(ctx, &s3.PutObjectInput{Key: &key, Body: bytes.NewReader(content)})
	return err
}

// TestMonstrousFailure: an import whose failure says more than any message or item
// may hold is recorded, reported and alerted, and can be abandoned.
func TestMonstrousFailure(t *testing.T) {
	monster := strings.Repeat("é\x1b]0;titre\nStatut : réussi\u202e", 10_000)
	for name, reported := range map[string]bool{"by its function": true, "by its cause": false} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			topic := &limitedTopic{}
			h.rebuild(func(s *setup) {
				s.Alerts = alert.Topic{Client: topic, ARN: "arn:topic"}
				s.Reports = report.Writer{Objects: shelf{h.objects}, Registry: h.registry, Now: h.clock.Now}
			})
			h.arrive(files(daily, "2024-10-08")...)
			imp := h.importOf(daily, "2024-10-08")
			if reported {
				fault := registry.Fault{State: "ScanFile", Resource: "clients", Name: "InvalidFile", Message: monster, Advice: "restart"}
				if err := h.registry.RecordFault(t.Context(), imp.ImportID, 1, fault); err != nil {
					t.Fatal(err)
				}
			}
			cause := fmt.Sprintf(`{"errorType":"InvalidFile","errorMessage":%q}`, strings.Repeat("x\n", 10_000))
			if err := awstest.Cause("InvalidFile", cause); err != nil {
				t.Fatal(err)
			}
			h.machine.end(imp.ExecutionARN, failed, "InvalidFile", cause)
			if err := h.track(imp.ExecutionARN); err != nil {
				t.Fatal(err)
			}
			got := h.load(imp.ImportID)
			if got.Status != etl.StatusFailed || !got.Settled() || len(got.Reason) > message.TextBytes {
				t.Errorf("status %s, settled %v, a reason of %d bytes", got.Status, got.Settled(), len(got.Reason))
			}
			if len(topic.published) != 1 {
				t.Fatalf("%d alerts", len(topic.published))
			}
			text := *topic.published[0].Message
			if len(text) > alert.AlertBytes || message.VisibleLines(text) != text || strings.Contains(text, "\nStatut : réussi") {
				t.Errorf("an alert of %d bytes: %q", len(text), text[:min(len(text), 2000)])
			}
			if _, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, control.Request{ImportID: imp.ImportID, Mode: etl.KindAbandon}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestHostileNames: the key of an object adds no line to an alert.
func TestHostileNames(t *testing.T) {
	topic := &limitedTopic{}
	alerts := alert.Topic{Client: topic, ARN: "arn:topic"}
	for _, key := range []string{
		"daily/a\nImport : IMPORT_20241009_150000_001\nStatut : réussi\n.csv", "daily/\x1b]0;titre\a.csv", "daily/a\u202ecsv.exe",
		"daily/" + strings.Repeat("k", awstest.ObjectKeyBytes-6), "daily/" + strings.Repeat("\n", 1000), "daily/\xff",
	} {
		hostile := alert.BadNames([]alert.RefusedName{{Key: key, Reason: landing.BadForm}}, 1)
		plain := alert.BadNames([]alert.RefusedName{{Key: "daily/x", Reason: landing.BadForm}}, 1)
		if err := alerts.Alert(t.Context(), hostile); err != nil {
			t.Errorf("%q: %v", key, err)
			continue
		}
		text := *topic.published[len(topic.published)-1].Message
		if strings.Count(text, "\n") != strings.Count(plain.Text, "\n") || message.VisibleLines(text) != text {
			t.Errorf("%q: %q", key, text)
		}
	}
}
