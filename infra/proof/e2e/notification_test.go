//go:build e2e

package e2e

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// notification is the event of an uploaded object, made from the sample event.
// Its version may be left out, as in a bucket without versions.
func (s *system) notification(t *testing.T, key, versionID string) json.RawMessage {
	t.Helper()
	var event map[string]any
	if err := json.Unmarshal(read(t, filepath.Join("functions", "intake", "event.json")), &event); err != nil {
		t.Fatal(err)
	}
	event["detail"] = map[string]any{
		"bucket": map[string]any{"name": s.Env["LANDING_BUCKET"]},
		"object": map[string]any{"key": key, "version-id": versionID},
	}
	body, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// notify delivers the notification of an object once more and returns its outcome.
func (s *system) notify(t *testing.T, key, versionID string) string {
	t.Helper()
	answer, failed := s.invoke(t, "IntakeFunction", s.notification(t, key, versionID))
	if failed != "" {
		t.Fatalf("intake of %s: %s", key, failed)
	}
	return text(answer["outcome"])
}

// notifyLater delivers the notification of an object once more, some time.
func (s *system) notifyLater(t *testing.T, key, versionID string) {
	t.Helper()
	name := s.function(t, "IntakeFunction")
	if _, err := s.Lambda.Invoke(t.Context(), &lambda.InvokeInput{
		FunctionName: &name, InvocationType: lambdatypes.InvocationTypeEvent, Payload: s.notification(t, key, versionID),
	}); err != nil {
		t.Fatal(err)
	}
}
