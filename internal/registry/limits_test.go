package registry_test

import (
	"strings"
	"testing"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
)

// TestMonstrousTexts: whatever a failure says, the registry's items stay far below
// the 400 KB of DynamoDB (which the tests' client enforces), and what they say is
// bounded and harmless.
func TestMonstrousTexts(t *testing.T) {
	monster := strings.Repeat("é\x1b]0;titre\n\u202e", 40_000)
	r, _ := open(t)
	imp := allotted(t, r)
	ctx := t.Context()
	if err := r.RecordFault(ctx, imp.ImportID, 1, registry.Fault{State: "ScanFile", Resource: "clients", Name: "InvalidFile", Message: monster}); err != nil {
		t.Fatal(err)
	}
	failed := registry.Observation{
		ExecutionARN: imp.ExecutionARN, Status: etl.StatusFailed, At: at(30), State: "ScanFile", Step: etl.Step(monster), Fault: etl.Fault(monster), Reason: monster, Advice: "redrive",
	}
	imp, _, err := r.Observe(ctx, imp.ImportID, failed)
	if err != nil {
		t.Fatal(err)
	}
	// A redrive whose failure was not seen, twice: attempts hold both texts.
	for redrives := 1; redrives <= 2; redrives++ {
		if _, _, err := r.Observe(ctx, imp.ImportID, registry.Observation{
			ExecutionARN: imp.ExecutionARN, Redrives: redrives, Status: etl.StatusRunning, At: at(31), FailedStep: etl.Step(monster), FailedReason: monster,
		}); err != nil {
			t.Fatal(err)
		}
	}
	status, err := r.Status(ctx, imp.ImportID)
	if err != nil {
		t.Fatal(err)
	}
	faults, err := r.Faults(ctx, imp.ImportID, 1, time.Time{})
	if err != nil || len(faults) != 1 || len(status.Attempts) != 3 {
		t.Fatalf("%d faults, %d attempts, %v", len(faults), len(status.Attempts), err)
	}
	texts := []string{faults[0].Message, imp.Reason, string(imp.Step), string(imp.Fault)}
	for _, a := range status.Attempts[1:] {
		texts = append(texts, string(a.FailedStep), a.FailedReason)
	}
	for i, text := range texts {
		if text == "" || text != message.Text(monster) {
			t.Errorf("text %d has %d bytes", i, len(text))
		}
	}
}
