package control_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// A function dies right after it claimed a re-execution, which took the slot: the
// slot comes back once the claim has run out, and the next day goes.
func TestClaimLeftBehind(t *testing.T) {
	for name, end := range map[string]struct {
		status sfntypes.ExecutionStatus
		fault  string
		mode   etl.Kind
		kind   etl.Kind
	}{
		"restart of an abandoned import":    {failed, "Unexpected", etl.KindAbandon, etl.KindRestart},
		"resume of one that misses files":   {failed, "MissingFiles", "", etl.KindResume},
		"continue of one that misses files": {failed, "MissingFiles", "", etl.KindContinue},
		"restart of a succeeded import":     {succeeded, "", "", etl.KindRestart},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			keys := files(daily, "2024-10-08")
			if end.fault == "MissingFiles" {
				keys = keys[:9]
				h.publish("2024-10-10") // so that this date holds up nobody
			}
			h.arrive(keys...)
			h.sweep(deadlineOf(2024, 10, 9))
			imp := h.end(h.importOf(daily, "2024-10-08"), end.status, end.fault)
			if end.mode != "" {
				if _, err := h.rerun(imp.ImportID, end.mode); err != nil {
					t.Fatal(err)
				}
				imp = h.load(imp.ImportID)
			}
			if _, err := h.registry.Claim(t.Context(), imp, registry.Pending{Kind: end.kind, Trigger: etl.TriggerCommand, Redrives: 1}); err != nil {
				t.Fatal(err)
			}
			h.arrive(files(daily, "2024-10-09")...)
			h.clock.Move(registry.PendingFor - time.Minute)
			h.sweep(control.SweepEvent{})
			if h.hasImport(daily, "2024-10-09") {
				t.Fatal("a claim does not keep others out")
			}
			h.clock.Move(2 * time.Minute)
			h.sweep(control.SweepEvent{})
			if got := h.load(imp.ImportID); got.Status != imp.Status || got.Pending.Kind != "" {
				t.Errorf("import = %+v", got)
			}
			if next := h.importOf(daily, "2024-10-09"); next.Status != etl.StatusRunning {
				t.Errorf("the next day is %s", next.Status)
			}
		})
	}
}

// publish has a date succeed.
func (h *house) publish(date string) {
	h.t.Helper()
	h.arrive(files(daily, date)...)
	h.end(h.importOf(daily, date), succeeded, "")
}

// Whatever left the slot with an import that is finished, or with one that nobody
// knows: the sweep gives it back, and says so.
func TestSlotLeftBehind(t *testing.T) {
	for name, leave := range map[string]func(h *house, imp registry.Import){
		"finished": func(h *house, imp registry.Import) { h.putSlot(imp.ImportID) },
		"unknown":  func(h *house, _ registry.Import) { h.putSlot("IMPORT_20240101_000000_001") },
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			h.arrive(files(daily, "2024-10-08")...)
			imp := h.end(h.importOf(daily, "2024-10-08"), succeeded, "")
			leave(h, imp)
			h.arrive(files(daily, "2024-10-09")...)
			if h.hasImport(daily, "2024-10-09") {
				t.Fatal("the slot is not held")
			}
			h.sweep(control.SweepEvent{})
			if next := h.importOf(daily, "2024-10-09"); next.Status != etl.StatusRunning {
				t.Errorf("the next day is %s", next.Status)
			}
			if lines := h.logged(control.LogSlotFreed); len(lines) != 1 || lines[0]["level"] != "WARN" {
				t.Errorf("the log says %v", lines)
			}
		})
	}
}

// putSlot has an import hold the slot.
func (h *house) putSlot(importID string) {
	h.t.Helper()
	if _, err := h.table.PutItem(h.t.Context(), &dynamodb.PutItemInput{Item: map[string]dynamodbtypes.AttributeValue{
		"pk": &dynamodbtypes.AttributeValueMemberS{Value: "SLOT"}, "sk": &dynamodbtypes.AttributeValueMemberS{Value: "CURRENT"},
		"import_id": &dynamodbtypes.AttributeValueMemberS{Value: importID},
	}}); err != nil {
		h.t.Fatal(err)
	}
}

// One import that cannot be looked at keeps the sweep from no other.
func TestSweepGoesOnAfterTrouble(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	h.end(h.importOf(daily, "2024-10-08"), succeeded, "")
	h.sweep(deadlineOf(2024, 10, 8))
	first := h.end(h.importOf(daily, "2024-10-07"), failed, "MissingFiles")
	h.arrive(files(daily, "2024-10-09")...)
	second := h.importOf(daily, "2024-10-09")
	h.clock.Move(time.Minute)
	h.machine.end(second.ExecutionARN, succeeded, "", "")
	h.arrive(files(daily, "2024-10-10")...)
	h.machine.fail = "Describe"
	if _, err := h.sweeper.Sweep(t.Context(), control.SweepEvent{}); !errors.Is(err, errLost) {
		t.Errorf("the sweep says %v", err)
	}
	if got := h.load(second.ImportID); got.Status != etl.StatusSucceeded {
		t.Errorf("%s is %s while %s could not be looked at", second.ImportID, got.Status, first.ImportID)
	}
	if next := h.importOf(daily, "2024-10-10"); next.Status != etl.StatusRunning {
		t.Errorf("the next day is %s", next.Status)
	}
}

// An import whose item is gone, though its date is in the queue, keeps neither the
// sweep nor any start from the dates after it.
func TestImportWhoseItemIsGone(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	imp := h.end(h.importOf(daily, "2024-10-08"), failed, "Unexpected")
	if _, err := h.table.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{Key: map[string]dynamodbtypes.AttributeValue{
		"pk": &dynamodbtypes.AttributeValueMemberS{Value: "IMPORT#" + imp.ImportID}, "sk": &dynamodbtypes.AttributeValueMemberS{Value: "META"},
	}}); err != nil {
		t.Fatal(err)
	}
	h.arrive(files(daily, "2024-10-09")...)
	if _, err := h.sweeper.Sweep(t.Context(), control.SweepEvent{}); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("the sweep says %v", err)
	}
	if next := h.importOf(daily, "2024-10-09"); next.Status != etl.StatusRunning {
		t.Errorf("the next day is %s", next.Status)
	}
}
