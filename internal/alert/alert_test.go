package alert_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sns"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/landing"
)

var (
	_ alert.Publisher = (*sns.Client)(nil)
	_ landing.Alerter = alert.Topic{}
)

var errLost = errors.New("connection reset")

type topic struct{ got *sns.PublishInput }

func (t *topic) Publish(_ context.Context, in *sns.PublishInput, _ ...func(*sns.Options)) (*sns.PublishOutput, error) {
	t.got = in
	if in.TopicArn == nil || *in.TopicArn == "" {
		return nil, errLost
	}
	return &sns.PublishOutput{}, nil
}

func TestAlerts(t *testing.T) {
	client := &topic{}
	failed := alert.Failed("IMPORT_20241009_150000_001", etl.StepLoading, "raison", "à faire", "aucune.", "s3://x")
	if err := (alert.Topic{Client: client, ARN: "arn:topic"}).Alert(t.Context(), failed); err != nil {
		t.Fatal(err)
	}
	for _, a := range []alert.Alert{
		failed, alert.BadNames([]alert.RefusedName{{Key: "daily/é", Reason: "raison"}}, 20_000), alert.Deadline("2024-10-08", []string{"x"}, "y"),
		alert.Succeeded("IMPORT_20241009_150000_001", "daily", "2024-10-08", "s3://x", 0),
	} {
		if len(a.Subject) >= 100 || strings.ContainsFunc(a.Subject, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("subject %q is not one that e-mail takes", a.Subject)
		}
	}
	if err := (alert.Topic{Client: client}).Alert(t.Context(), failed); err == nil {
		t.Error("no error")
	}
}
