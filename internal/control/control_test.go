package control_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

const (
	daily     = etl.ModeDaily
	initial   = etl.ModeInitial
	succeeded = sfntypes.ExecutionStatusSucceeded
	failed    = sfntypes.ExecutionStatusFailed
)

func history(c *setup) { c.NoHistory = false }

func TestTenFilesStartOneImport(t *testing.T) {
	h := open(t)
	keys := files(daily, "2024-10-08")
	h.arrive(keys[:9]...)
	if h.machine.starts != 0 {
		t.Fatal("started with nine files")
	}
	h.arrive(keys[9])
	imp := h.importOf(daily, "2024-10-08")
	if h.machine.starts != 1 || imp.Status != etl.StatusRunning {
		t.Fatalf("starts = %d, status %s", h.machine.starts, imp.Status)
	}
	want := `{"import_id":"IMPORT_20241009_150000_001","generation":1,"mode":"daily","file_date":"2024-10-08"}`
	if got := h.machine.executions[imp.ExecutionARN].input; got != want {
		t.Errorf("input = %s", got)
	}
	if diff := cmp.Diff([]string{"start file"}, h.attempts(imp.ImportID)); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
}

func TestReplaysAfterTheEndStartNothing(t *testing.T) {
	h := open(t)
	keys := files(daily, "2024-10-08")
	h.arrive(keys...)
	imp := h.end(h.importOf(daily, "2024-10-08"), succeeded, "")
	if imp.Status != etl.StatusSucceeded || !imp.Settled() {
		t.Fatalf("import = %+v", imp)
	}
	for _, key := range keys {
		if answer, err := h.notify(key); err != nil || answer.Outcome != "unchanged" {
			t.Errorf("replay of %s: %+v, %v", key, answer, err)
		}
	}
	if err := h.track(imp.ExecutionARN); err != nil {
		t.Error(err)
	}
	h.sweep(control.SweepEvent{})
	if h.machine.starts != 1 || len(h.reports.written) != 1 {
		t.Errorf("starts = %d, reports %d", h.machine.starts, len(h.reports.written))
	}
	if diff := cmp.Diff([]string{"import reussi " + imp.ImportID}, h.inbox.subjects()); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}

// The alert of an import that succeeded says how many records are not enriched, even if
// its report cannot be stored.
func TestNotEnrichedIsTold(t *testing.T) {
	for _, fail := range []bool{false, true} {
		h := open(t)
		h.reports.totals, h.reports.fail = registry.Counts{Read: 1_234, NotEnriched: 56}, fail
		h.arrive(files(daily, "2024-10-08")...)
		imp := h.importOf(daily, "2024-10-08")
		h.machine.end(imp.ExecutionARN, succeeded, "", "")
		if err := h.track(imp.ExecutionARN); (err != nil) != fail {
			t.Errorf("report fails %t: %v", fail, err)
		}
		if len(h.inbox.alerts) != 1 || !strings.Contains(h.inbox.alerts[0].Text, "Non enrichis : 56 ") {
			t.Errorf("report fails %t: %+v", fail, h.inbox.alerts)
		}
	}
}

func TestTwoDatesRunInOrder(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-08")[:9]...)
	h.arrive(files(daily, "2024-10-09")...)
	if h.machine.starts != 0 {
		t.Fatal("a later date started before an earlier one that still misses a file")
	}
	h.arrive(files(daily, "2024-10-08")[9])
	first := h.importOf(daily, "2024-10-08")
	if h.machine.starts != 1 || h.hasImport(daily, "2024-10-09") {
		t.Fatal("the later date did not wait")
	}
	h.end(first, failed, "Unexpected")
	h.sweep(control.SweepEvent{})
	if h.machine.starts != 1 {
		t.Fatal("the later date started after a failure")
	}
	if _, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, control.Request{ImportID: first.ImportID, Mode: etl.KindResume}); err != nil {
		t.Fatal(err)
	}
	h.end(first, succeeded, "")
	second := h.importOf(daily, "2024-10-09")
	if second.Status != etl.StatusRunning || h.machine.starts != 2 {
		t.Errorf("second = %+v", second)
	}
	if diff := cmp.Diff([]string{"start automatic"}, h.attempts(second.ImportID)); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
}

// One at a time: an earlier date that comes while a later one is open waits, also
// after that one failed.
func TestEarlierDateWaitsForAnOpenOne(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	later := h.importOf(daily, "2024-10-08")
	h.arrive(files(daily, "2024-10-07")...)
	h.end(later, failed, "Unexpected")
	h.sweep(control.SweepEvent{})
	if h.machine.starts != 1 || h.hasImport(daily, "2024-10-07") {
		t.Fatal("two imports are open at once")
	}
	if _, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, control.Request{ImportID: later.ImportID, Mode: etl.KindAbandon}); err != nil {
		t.Fatal(err)
	}
	if got := h.importOf(daily, "2024-10-07").Status; got != etl.StatusRunning {
		t.Errorf("the earlier date is %s", got)
	}
}

func TestInitialGoesFirst(t *testing.T) {
	h := open(t, history)
	h.arrive(files(daily, "2024-10-08")...)
	h.sweep(control.SweepEvent{Deadline: true})
	if h.machine.starts != 0 {
		t.Fatal("a daily import started before the initial one")
	}
	h.arrive("initial/client_data_20230101.csv") // a stray file of a wrong date
	h.arrive(files(initial, "2024-10-07")...)
	h.end(h.importOf(initial, "2024-10-07"), succeeded, "")
	if got := h.importOf(daily, "2024-10-08").Status; got != etl.StatusRunning {
		t.Errorf("daily import is %s", got)
	}
	h.end(h.importOf(daily, "2024-10-08"), succeeded, "")
	h.arrive(files(initial, "2024-10-09")...)
	h.arrive(files(daily, "2024-10-09")...)
	if h.hasImport(initial, "2024-10-09") || !h.hasImport(daily, "2024-10-09") {
		t.Error("a second initial import started, or held up the daily one")
	}
}

func TestOldIncompleteDateNeverBlocks(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	h.end(h.importOf(daily, "2024-10-08"), succeeded, "")
	h.arrive(files(daily, "2024-10-01")[:3]...)
	h.arrive(files(daily, "2024-10-09")...)
	if !h.hasImport(daily, "2024-10-09") {
		t.Error("an incomplete date that is older than what is published blocks")
	}
}

func TestDeadline(t *testing.T) {
	h := open(t)
	keys := files(daily, "2024-10-08")
	h.arrive(keys[:8]...)
	// 2024-10-08 22:30 UTC is the 9th in Paris, so the 8th is due.
	h.sweep(control.SweepEvent{Deadline: true, Time: time.Date(2024, 10, 8, 22, 30, 0, 0, time.UTC)})
	imp := h.importOf(daily, "2024-10-08")
	if diff := cmp.Diff([]string{"start deadline"}, h.attempts(imp.ImportID)); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	imp = h.end(imp, failed, "MissingFiles")
	if imp.Status != etl.StatusFailed || imp.Reason != "Fichiers manquants : return_data, employee_data." {
		t.Errorf("status %s, reason %s", imp.Status, imp.Reason)
	}
	h.arrive(keys[8])
	if h.machine.redrives != 0 {
		t.Fatal("resumed while a file is missing")
	}
	h.arrive(keys[9])
	imp = h.load(imp.ImportID)
	if h.machine.redrives != 1 || imp.Status != etl.StatusRunning || h.machine.starts != 1 {
		t.Fatalf("redrives %d, status %s", h.machine.redrives, imp.Status)
	}
	imp = h.end(imp, succeeded, "")
	if diff := cmp.Diff([]string{"start deadline", "resume file"}, h.attempts(imp.ImportID)); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	if lines := h.logged(control.LogRerun); len(lines) != 1 || lines[0]["trigger"] != "file" || lines[0]["import_id"] != imp.ImportID {
		t.Errorf("log = %v", lines)
	}
	h.sweep(control.SweepEvent{Deadline: true, Time: time.Date(2024, 10, 9, 4, 0, 0, 0, time.UTC)})
	if h.machine.starts != 1 {
		t.Error("a date that is done was due again")
	}
}

// The tenth file comes while the execution that the deadline started is failing.
func TestTenthFileInTheSecondOfTheDeadline(t *testing.T) {
	h := open(t)
	keys := files(daily, "2024-10-08")
	h.arrive(keys[:9]...)
	h.sweep(control.SweepEvent{Deadline: true})
	imp := h.importOf(daily, "2024-10-08")
	h.machine.end(imp.ExecutionARN, failed, "MissingFiles", "")
	h.arrive(keys[9])
	if err := h.track(imp.ExecutionARN); err != nil {
		t.Fatal(err)
	}
	if h.machine.redrives != 1 || h.load(imp.ImportID).Status != etl.StatusRunning {
		t.Errorf("redrives = %d", h.machine.redrives)
	}
}

// The registry has all files and Open still says that some are missing: no file
// came since, so nothing is to be gained by trying for ever.
func TestMissingFilesWithoutNewsIsNotRedrivenForEver(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	imp := h.importOf(daily, "2024-10-08")
	for range 3 {
		h.end(imp, failed, "MissingFiles")
	}
	if h.machine.redrives > 1 {
		t.Errorf("redrives = %d", h.machine.redrives)
	}
}

func TestMissingFilesLetAnEarlierDateGo(t *testing.T) {
	h := open(t)
	h.sweep(control.SweepEvent{Deadline: true}) // nothing at all arrived for the 8th
	late := h.end(h.importOf(daily, "2024-10-08"), failed, "MissingFiles")
	h.arrive(files(daily, "2024-10-07")...)
	early := h.importOf(daily, "2024-10-07")
	if early.Status != etl.StatusRunning {
		t.Fatalf("the earlier date is %s", early.Status)
	}
	h.arrive(files(daily, "2024-10-08")...)
	if h.machine.redrives != 0 {
		t.Error("two imports run at once")
	}
	h.end(early, succeeded, "")
	if got := h.load(late.ImportID).Status; got != etl.StatusRunning {
		t.Errorf("the later date is %s", got)
	}
}

func TestDeadlineWhileAnotherImportRuns(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-07")...)
	h.sweep(control.SweepEvent{Deadline: true})
	alerts := h.inbox.subjects()
	if diff := cmp.Diff([]string{"fichiers manquants 2024-10-08"}, alerts); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
	h.end(h.importOf(daily, "2024-10-07"), succeeded, "")
	if got := h.importOf(daily, "2024-10-08"); got.Status != etl.StatusRunning {
		t.Errorf("the date that was due is %s", got.Status)
	}
}

func TestDeadlineBeforeTheHistoryIsThere(t *testing.T) {
	h := open(t, history)
	h.sweep(control.SweepEvent{Deadline: true})
	if h.hasImport(daily, "2024-10-08") {
		t.Error("due before the initial import")
	}
	h.arrive(files(initial, "2024-10-08")...)
	h.end(h.importOf(initial, "2024-10-08"), succeeded, "")
	h.sweep(control.SweepEvent{Deadline: true})
	if h.hasImport(daily, "2024-10-08") {
		t.Error("due although the history covers it")
	}
}

func TestSweepHealsLostEvents(t *testing.T) {
	h := open(t)
	for _, key := range files(daily, "2024-10-08") {
		h.upload(key, "content")
	}
	h.upload("daily/client_data_20240230.csv", "content")
	h.sweep(control.SweepEvent{})
	imp := h.importOf(daily, "2024-10-08")
	h.machine.end(imp.ExecutionARN, succeeded, "", "")
	h.sweep(control.SweepEvent{})
	h.sweep(control.SweepEvent{})
	if got := h.load(imp.ImportID); got.Status != etl.StatusSucceeded || len(h.reports.written) != 1 {
		t.Errorf("status %s, reports %v", got.Status, h.reports.written)
	}
	want := []string{"fichier refuse", "import reussi " + imp.ImportID}
	if diff := cmp.Diff(want, h.inbox.subjects()); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}

// A write that fails, before or after it took effect, is made up for by whoever
// comes next.
func TestStartThatFails(t *testing.T) {
	for _, fail := range []string{"Start", "Start saved"} {
		t.Run(fail, func(t *testing.T) {
			h := open(t)
			h.arrive(files(daily, "2024-10-08")[:9]...)
			h.machine.fail = fail
			h.upload(files(daily, "2024-10-08")[9], "content")
			if _, err := h.notify(files(daily, "2024-10-08")[9]); err == nil {
				t.Fatal("no error")
			}
			h.sweep(control.SweepEvent{})
			imp := h.importOf(daily, "2024-10-08")
			if h.machine.starts != 1 || imp.Status != etl.StatusRunning {
				t.Errorf("starts = %d, status %s", h.machine.starts, imp.Status)
			}
			if got := h.end(imp, succeeded, ""); got.Status != etl.StatusSucceeded {
				t.Errorf("status = %s", got.Status)
			}
		})
	}
}

func TestConclusionThatFails(t *testing.T) {
	for _, what := range []string{"report", "alert"} {
		t.Run(what, func(t *testing.T) {
			h := open(t)
			h.arrive(files(daily, "2024-10-08")...)
			imp := h.importOf(daily, "2024-10-08")
			h.reports.fail, h.inbox.fail = what == "report", what == "alert"
			h.machine.end(imp.ExecutionARN, failed, "Unexpected", "")
			if err := h.track(imp.ExecutionARN); err == nil {
				t.Fatal("no error")
			}
			alerts, reports := len(h.inbox.subjects()), len(h.reports.written)
			h.sweep(control.SweepEvent{}) // at once: left to the first one
			if len(h.inbox.subjects()) != alerts || len(h.reports.written) != reports {
				t.Error("an end was concluded twice at once")
			}
			h.clock.Move(5 * time.Minute)
			h.sweep(control.SweepEvent{})
			h.sweep(control.SweepEvent{})
			if got := h.load(imp.ImportID); !got.Settled() || got.Status != etl.StatusFailed {
				t.Errorf("import = %+v", got)
			}
			if len(h.inbox.subjects()) == 0 || len(h.reports.written) == 0 {
				t.Errorf("alerts %v, reports %v", h.inbox.subjects(), h.reports.written)
			}
		})
	}
}

func TestTrackIgnoresForeignExecutions(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	imp := h.importOf(daily, "2024-10-08")
	for _, arn := range []string{
		strings.Replace(imp.ExecutionARN, "_001", "_777", 1), // no such import
		imp.ExecutionARN + "-2",                              // not its current execution
		"arn:aws:states:eu-west-3:111122223333:execution:import:by-hand",
	} {
		if err := h.track(arn); err != nil {
			t.Errorf("track %s: %v", arn, err)
		}
	}
	if got := len(h.logged(control.LogForeign)); got != 3 {
		t.Errorf("ignored = %d", got)
	}
}

func TestConsoleRedriveIsRecorded(t *testing.T) {
	h := open(t)
	h.arrive(files(daily, "2024-10-08")...)
	imp := h.end(h.importOf(daily, "2024-10-08"), failed, "Unexpected")
	h.machine.executions[imp.ExecutionARN].redrives = 1
	h.machine.end(imp.ExecutionARN, sfntypes.ExecutionStatusRunning, "", "")
	for range 2 {
		if err := h.track(imp.ExecutionARN); err != nil {
			t.Fatal(err)
		}
	}
	if got := h.load(imp.ImportID).Status; got != etl.StatusRunning {
		t.Errorf("status = %s", got)
	}
	if diff := cmp.Diff([]string{"start file", "resume console"}, h.attempts(imp.ImportID)); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	line := h.logged(control.LogRerun)
	if len(line) != 1 || line[0]["import_id"] != imp.ImportID || line[0]["trigger"] != "console" || line[0]["mode"] != "resume" ||
		line[0]["attempt"] != 2.0 || line[0]["error_details"] != imp.Reason || imp.Reason == "" {
		t.Errorf("log = %v", line)
	}
}

// A redrive in the console is seen before the failure that it follows, or even
// after its own: why the attempt before failed is known by the functions' faults.
func TestRedriveOfAFailureNobodySaw(t *testing.T) {
	for name, c := range map[string]struct {
		fault  bool
		status sfntypes.ExecutionStatus
		step   etl.Step
		reason string
	}{
		"still running":   {true, sfntypes.ExecutionStatusRunning, etl.StepLoading, "plein"},
		"failed again":    {true, failed, etl.StepLoading, "plein"},
		"nothing is said": {false, sfntypes.ExecutionStatusRunning, "", control.ReasonUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			h.arrive(files(daily, "2024-10-08")...)
			imp := h.importOf(daily, "2024-10-08")
			h.clock.Move(time.Minute)
			fault := func(text string) {
				if err := h.registry.RecordFault(t.Context(), imp.ImportID, 1, registry.Fault{State: "Plan", Resource: text, Name: "Transient", Message: text}); err != nil {
					t.Fatal(err)
				}
			}
			if c.fault {
				fault("plein")
			}
			h.clock.Move(time.Minute)
			e := h.machine.executions[imp.ExecutionARN]
			e.redrives, e.redrivenAt = 1, h.clock.Now()
			h.clock.Move(time.Minute)
			fault("après la reprise")
			h.machine.end(imp.ExecutionARN, c.status, "Transient", "")
			if err := h.track(imp.ExecutionARN); err != nil {
				t.Fatal(err)
			}
			attempts, err := h.registry.Attempts(t.Context(), imp.ImportID)
			if err != nil || len(attempts) != 2 {
				t.Fatalf("attempts = %+v, %v", attempts, err)
			}
			if a := attempts[1]; a.Kind != etl.KindResume || a.Trigger != etl.TriggerConsole || a.FailedStep != c.step || a.FailedReason != c.reason {
				t.Errorf("attempt = %+v", a)
			}
		})
	}
}

func TestManyDatesInOneSecond(t *testing.T) {
	h := open(t)
	for day := 3; day >= 1; day-- {
		date := fmt.Sprintf("2024-10-%02d", day)
		for _, key := range files(daily, date) {
			h.upload(key, "content")
		}
	}
	h.sweep(control.SweepEvent{})
	for day := 1; day <= 3; day++ {
		date := fmt.Sprintf("2024-10-%02d", day)
		if h.machine.starts != day {
			t.Fatalf("starts = %d before %s", h.machine.starts, date)
		}
		h.machine.end(h.importOf(daily, date).ExecutionARN, succeeded, "", "")
		if err := h.track(h.importOf(daily, date).ExecutionARN); err != nil {
			t.Fatal(err)
		}
	}
	if got := h.importOf(daily, "2024-10-03").ImportID; got != "IMPORT_20241009_150000_003" {
		t.Errorf("third import_id = %s", got)
	}
}
