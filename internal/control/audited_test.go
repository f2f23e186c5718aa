package control_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"etl-dataloader/internal/audit"
	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
)

// trail keeps the entries of an audit.
type trail struct {
	mu      sync.Mutex
	entries []audit.Entry
	fail    string // "not saved" or "saved": every entry fails
	asked   func() // runs when the next entry is made
}

func (a *trail) Audit(ctx context.Context, e audit.Entry) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if asked := a.asked; asked != nil {
		a.asked = nil
		asked()
	}
	if ctx.Err() != nil || a.fail == "not saved" {
		return errLost
	}
	a.entries = append(a.entries, e)
	if a.fail == "saved" {
		return errLost
	}
	return nil
}

// told lists the entries without their request ids, which it checks.
func (a *trail) told(t *testing.T) (list []string) {
	t.Helper()
	for i, e := range a.entries {
		if _, err := uuid.Parse(e.RequestID); err != nil {
			t.Errorf("entry %d: %v", i, err)
		}
		if e.Stage == audit.Done && i > 0 && a.entries[i-1].Stage == audit.Asked && a.entries[i-1].RequestID != e.RequestID {
			t.Errorf("entry %d has another request id than the one before", i)
		}
		verified := ""
		if e.Verified {
			verified = " verified"
		}
		outcome, _, _ := strings.Cut(e.Outcome, ":")
		list = append(list, strings.TrimSpace(strings.Join([]string{string(e.Stage), e.Identity + verified, e.AccessKeyID, e.Action, e.ImportID, string(e.Details), outcome}, "|")))
	}
	return list
}

// Who asked for what is recorded before it is done, and with its outcome after it, also
// when it is refused; the log says the same.
func TestAudited(t *testing.T) {
	h, imp := failedImport(t, "Unexpected")
	identity := caller.Identity{ARN: anne, AccessKey: "AKIA1"}
	h.audit.asked = func() {
		if got := h.load(imp.ImportID); got.Pending.Kind != "" || got.Status != etl.StatusFailed {
			t.Error("something was done before it was recorded")
		}
	}
	for _, request := range []control.Request{
		{ImportID: imp.ImportID, Mode: etl.KindResume, Accept: []string{"shrink=produits"}},
		{ImportID: imp.ImportID, Mode: etl.KindRestart, Force: true},
	} {
		_, _ = h.rerunner.Rerun(t.Context(), identity, request)
	}
	_, _ = h.rerunner.Rerun(t.Context(), caller.Identity{}, control.Request{ImportID: "IMPORT_20000101_000000_001", Mode: etl.KindAbandon})
	of := anne + " verified|AKIA1|"
	want := []string{
		"asked|" + of + "resume|" + imp.ImportID + `|{"accept":["shrink=produits"]}|`,
		"done|" + of + "resume|" + imp.ImportID + `|{"accept":["shrink=produits"]}|resume`,
		"asked|" + of + "restart|" + imp.ImportID + `|{"force":true}|`,
		"done|" + of + "restart|" + imp.ImportID + `|{"force":true}|Refused`,
		"asked|" + caller.Unverified + "||abandon|IMPORT_20000101_000000_001|{}|",
		"done|" + caller.Unverified + "||abandon|IMPORT_20000101_000000_001|{}|Refused",
	}
	if diff := cmp.Diff(want, h.audit.told(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	asked, answered := h.logged(control.LogAsked), h.logged(control.LogAnswered)
	if len(asked) != 3 || len(answered) != 3 || asked[0]["by"] != identity.String() || asked[0]["mode"] != "resume" ||
		asked[0]["import_id"] != imp.ImportID || asked[0]["request_id"] != h.audit.entries[0].RequestID ||
		!strings.HasPrefix(answered[1]["outcome"].(string), "Refused: ") {
		t.Errorf("log %v, %v", asked, answered)
	}
}

// What the system asks of itself is in the attempts, not in the audit.
func TestNotAudited(t *testing.T) {
	h, s, imp := withRedrives(t, "Transient")
	h.fire(s, imp.ImportID+"-a1")
	if _, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, control.Request{ImportID: imp.ImportID, Mode: etl.KindRecord}); err != nil {
		t.Fatal(err)
	}
	if got := h.audit.told(t); got != nil {
		t.Errorf("audit %q", got)
	}
}

// A person does not bring the database's copy of an import up to date, as the system
// does; who tries is in the audit.
func TestRecordOfAPerson(t *testing.T) {
	h, imp := failedImport(t, "Unexpected")
	before := len(h.fence.states[imp.ImportID])
	_, err := h.rerunner.Rerun(t.Context(), caller.Identity{ARN: anne}, control.Request{ImportID: imp.ImportID, Mode: etl.KindRecord})
	if refused(err) != control.RefusedMode {
		t.Errorf("got %v", err)
	}
	if len(h.fence.states[imp.ImportID]) != before {
		t.Errorf("the database was told %v", h.fence.states[imp.ImportID][before:])
	}
	want := []string{
		"asked|" + anne + " verified||record|" + imp.ImportID + "|{}|",
		"done|" + anne + " verified||record|" + imp.ImportID + "|{}|Refused",
	}
	if diff := cmp.Diff(want, h.audit.told(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Without etl.audit a redrive is possible all the same: the log has what matters.
func TestAuditUnavailable(t *testing.T) {
	for _, fail := range []string{"not saved", "saved"} {
		h, imp := failedImport(t, "Unexpected")
		h.audit.fail = fail
		if _, err := h.rerun(imp.ImportID, etl.KindResume); err != nil {
			t.Fatal(err)
		}
		if got := h.load(imp.ImportID); got.Status != etl.StatusRunning {
			t.Errorf("import = %+v", got)
		}
		if lines := h.logged(control.LogNotAudited); len(lines) != 2 || lines[0]["level"] != "WARN" || lines[0]["by"] != caller.Unverified || lines[0]["import_id"] != imp.ImportID {
			t.Errorf("log %v", lines)
		}
	}
}

// A redrive in the console is audited once CloudTrail tells who asked for it, and again
// under the same request id if the entry failed.
func TestConsoleIsAudited(t *testing.T) {
	for _, fail := range []string{"", "not saved", "saved"} {
		h, imp := failedImport(t, "Unexpected")
		h.clock.Move(time.Minute)
		h.console(imp)
		event := recorded(t, imp.ExecutionARN, h.clock.Now())
		h.audit.fail = fail
		if _, err := h.tracker.Redriven(t.Context(), event); (err != nil) != (fail != "") {
			t.Errorf("%q: %v", fail, err)
		}
		h.audit.fail = ""
		h.redriven(event)
		got := h.audit.told(t)
		want := "done|arn:aws:sts::111122223333:assumed-role/Operators/anne verified|ASIAEXAMPLE|resume|" + imp.ImportID + `|{"attempt":2,"console":true}|resume`
		for i, e := range h.audit.entries {
			if got[i] != want || e.RequestID != h.audit.entries[0].RequestID {
				t.Errorf("%q: entry %s, want %s", fail, got[i], want)
			}
		}
		if len(got) == 0 {
			t.Errorf("%q: no entry", fail)
		}
	}
}

// Somebody who asks for an entry about a redrive gets none that is not true.
func TestForgedConsoleAudit(t *testing.T) {
	h, imp := failedImport(t, "Unexpected")
	if _, err := h.rerun(imp.ImportID, etl.KindResume); err != nil {
		t.Fatal(err)
	}
	before := len(h.audit.entries)
	for attempt := -1; attempt < 4; attempt++ {
		if _, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, control.Request{ImportID: imp.ImportID, Mode: etl.KindRecord, Attempt: attempt}); err != nil {
			t.Error(err)
		}
	}
	if len(h.audit.entries) != before {
		t.Errorf("audit %q", h.audit.told(t)[before:])
	}
}
