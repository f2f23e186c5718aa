package control_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
)

// by lists the triggers of an import's attempts and who was behind them.
func (h *house) by(importID string) []string {
	h.t.Helper()
	attempts, err := h.registry.Attempts(h.t.Context(), importID)
	if err != nil {
		h.t.Fatal(err)
	}
	var list []string
	for _, a := range attempts {
		list = append(list, string(a.Trigger)+" "+a.By)
	}
	return list
}

// Who asks is recorded with the attempt and logged, whatever kind of re-execution it is.
func TestWhoAsks(t *testing.T) {
	verified := caller.Identity{ARN: "arn:aws:sts::111122223333:assumed-role/Operators/anne", AccessKey: "ASIA1"}
	for _, kind := range []etl.Kind{etl.KindResume, etl.KindContinue, etl.KindRestart, etl.KindAbandon} {
		for _, by := range []caller.Identity{{}, verified} {
			h, imp := failedImport(t, "Unexpected")
			if _, err := h.rerunner.Rerun(t.Context(), by, control.Request{ImportID: imp.ImportID, Mode: kind}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"file ", "command " + by.String()}, h.by(imp.ImportID)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", kind, diff)
			}
			if lines := h.logged(control.LogRerun); len(lines) != 1 || lines[0]["by"] != by.String() {
				t.Errorf("%s: log %v", kind, lines)
			}
		}
	}
}

// Somebody who pretends to be the system gains nothing: what the registry did not plan,
// or not yet, is not done, and a plan is carried out once.
func TestForgedPlan(t *testing.T) {
	h, s, imp := withRedrives(t, "Transient")
	id := imp.ImportID
	forged := map[string]control.Request{
		"before its time":   {ImportID: id, Mode: etl.KindResume, Attempt: 1},
		"another attempt":   {ImportID: id, Mode: etl.KindResume, Attempt: 2},
		"a continuation":    {ImportID: id, Mode: etl.KindContinue, Attempt: 1},
		"an abandonment":    {ImportID: id, Mode: etl.KindAbandon, Attempt: 1},
		"a restart":         {ImportID: id, Mode: etl.KindRestart, Attempt: 1},
		"a forced restart":  {ImportID: id, Mode: etl.KindRestart, Attempt: 1, Force: true},
		"with an exemption": {ImportID: id, Mode: etl.KindResume, Attempt: 1, Accept: []string{"shrink=produits"}},
	}
	for name, request := range forged {
		if a, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, request); err != nil || a.Kind != "" {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	if got := h.load(id); got.Status != etl.StatusFailed || got.Accepted != nil || got.Pending.Kind != "" {
		t.Fatalf("import = %+v", got)
	}
	if answer := h.fire(s, id+"-a1"); answer.Kind != etl.KindResume {
		t.Fatalf("the planned redrive: %+v", answer)
	}
	if a, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, forged["before its time"]); err != nil || a.Kind != "" {
		t.Errorf("again: %+v, %v", a, err)
	}
	if diff := cmp.Diff([]string{"file ", "automatic "}, h.by(id)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A person who signs is never taken for the system.
func TestSignedPlan(t *testing.T) {
	h, _, imp := withRedrives(t, "Transient")
	h.clock.Move(time.Hour)
	anne := caller.Identity{ARN: "arn:aws:iam::111122223333:user/anne"}
	if _, err := h.rerunner.Rerun(t.Context(), anne, control.Request{ImportID: imp.ImportID, Mode: etl.KindResume, Attempt: 1}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"file ", "command " + anne.ARN}, h.by(imp.ImportID)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
