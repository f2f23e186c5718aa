package registry_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// attemptsNow lists the attempts as an execution sees them.
func attemptsNow(t *testing.T, r *registry.Registry, importID, arn string, redrives int) (list []string) {
	t.Helper()
	attempts, err := r.AttemptsNow(t.Context(), importID, arn, redrives)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range attempts {
		list = append(list, fmt.Sprint(a.Number, a.Kind, a.Trigger, a.FailedReason))
	}
	return list
}

// TestAttemptsNow: an execution knows of its redrive before anybody saw it, and
// tells what will be recorded.
func TestAttemptsNow(t *testing.T) {
	for trigger, claimed := range map[etl.Trigger]bool{etl.TriggerConsole: false, etl.TriggerCommand: true} {
		r, _ := open(t)
		imp := allotted(t, r)
		imp, _ = observe(t, r, imp, 0, etl.StatusFailed, "Mismatch")
		if claimed {
			if _, err := r.Claim(t.Context(), imp, registry.Pending{Kind: etl.KindResume, Trigger: trigger, Redrives: 1}); err != nil {
				t.Fatal(err)
			}
		}
		first := []string{fmt.Sprint(1, "start", "file", "")}
		both := append(first, fmt.Sprint(2, "resume", trigger, "Mismatch"))
		for _, c := range []struct {
			arn      string
			redrives int
			want     []string
		}{{imp.ExecutionARN, 0, first}, {"arn:another", 1, first}, {imp.ExecutionARN, 1, both}} {
			if diff := cmp.Diff(c.want, attemptsNow(t, r, imp.ImportID, c.arn, c.redrives)); diff != "" {
				t.Errorf("redriven %d times (-want +got):\n%s", c.redrives, diff)
			}
		}
		observe(t, r, imp, 1, etl.StatusRunning, "")
		if diff := cmp.Diff(both, attemptsNow(t, r, imp.ImportID, imp.ExecutionARN, 1)); diff != "" {
			t.Errorf("once it was seen (-want +got):\n%s", diff)
		}
	}
	r, _ := open(t)
	if _, err := r.AttemptsNow(t.Context(), "IMPORT_20000101_000000_001", "arn", 0); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("an unknown import: %v", err)
	}
}
