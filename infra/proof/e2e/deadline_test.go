//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"etl-dataloader/infra/proof/stack"
)

// TestDeadline: a file of a date is missing when its deadline comes. The import
// fails and names the file, and resumes by itself when the file comes.
func TestDeadline(t *testing.T) {
	sc := baseline(t)
	of := sc.day(t, "-rows", "200", "-seed", "9")
	late := of.file(t, "return_data")
	sc.upload(t, of, of.others(t, "return_data")...)
	if answer, failed := sc.invoke(t, "SweepFunction", map[string]any{}); failed != "" {
		t.Fatalf("sweep: %v %s", answer, failed)
	}
	if imp, started := sc.importOf(t, of.Mode, of.Date); started {
		t.Fatalf("%s started without %s and before the deadline", imp.ImportID, late)
	}
	answer, failure := sc.invoke(t, "SweepFunction", map[string]any{"deadline": true, "time": daysAfter(t, of.Date, 1) + "T04:00:00Z"})
	if failure != "" || answer["due"] != of.Date {
		t.Fatalf("sweep at the deadline: %v %s", answer, failure)
	}
	imp := sc.awaitStatus(t, of.Mode, of.Date, failed, 1)
	if imp.Fault != "MissingFiles" || imp.Sealed != 0 {
		t.Errorf("%s failed with %s, sealed at generation %d", imp.ImportID, imp.Fault, imp.Sealed)
	}
	sc.failedAt(t, imp, "Open", "Chargement des fichiers", "return_data")
	if strings.Contains(imp.Reason, "client_data") {
		t.Errorf("the reason names a file that is there: %s", imp.Reason)
	}
	sc.look(t)
	sc.upload(t, of, late)
	resumed := sc.settle(t, of, 2)
	if resumed.ImportID != imp.ImportID || resumed.Generation != 1 {
		t.Errorf("%s went on as %s, generation %d", imp.ImportID, resumed.ImportID, resumed.Generation)
	}
	sc.checkAttempts(t, resumed, []stack.Attempt{
		{Kind: "start", Trigger: "deadline", Generation: 1},
		{Kind: "resume", Trigger: "file", Generation: 1, FailedStep: "Chargement des fichiers", FailedReason: "return_data"},
	})
}
