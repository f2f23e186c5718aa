package phase_test

import (
	"errors"
	"strings"
	"testing"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/phase"
)

// TestTooManyRecords: a day beyond the ceiling is refused by name before anything
// is written; with a raised limit the same import goes on. History has no ceiling.
func TestTooManyRecords(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "Scan")
	var records int64
	for _, s := range r.scanned {
		records += s.Records
	}
	in := phase.PlanIn{Import: r.imp, Scanned: r.scanned}
	plan := l.plan()
	plan.MaxDailyRecords = records - 1
	before := l.dump(t)
	for range 2 {
		_, err := plan.Run(t.Context(), in)
		over, ok := errors.AsType[*fault.TooManyRecords](fault.Lift(err))
		if !ok || over.Records != records || over.Limit != records-1 || over.ImportID != r.imp.ImportID {
			t.Fatalf("%v", err)
		}
		for _, text := range []string{message.Count(records), message.Count(records - 1), "MaxDailyRecords", r.imp.ImportID} {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%q does not say %q", err, text)
			}
		}
	}
	if changed := differing(before, l.dump(t)); changed != nil {
		t.Errorf("the refusal wrote into %v", changed)
	}
	history := in
	history.Import.Mode = etl.ModeInitial
	if _, err := plan.Run(t.Context(), history); err != nil {
		t.Errorf("an initial import: %v", err)
	}
	plan.MaxDailyRecords = records
	if out, err := plan.Run(t.Context(), in); err != nil || out.Records != records {
		t.Errorf("at the limit: %+v, %v", out, err)
	}
	r.through(t, "Plan", "Publish")
}
