package control_test

import (
	"fmt"
	"strings"
	"testing"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
)

const totalsOf = "daily/control_20241008.json"

// required makes control totals mandatory.
func required(t *testing.T) func(*setup) {
	return func(c *setup) {
		names, err := landing.NewNames(types)
		if err != nil {
			t.Fatal(err)
		}
		c.Names = names.Requiring(true)
	}
}

// Control totals that may be missing start nothing and hold up nothing; they are
// known when the tenth file starts the import.
func TestControlTotalsAreAnArrival(t *testing.T) {
	const date = "2024-10-08"
	h := open(t)
	keys := files(daily, date)
	h.arrive(totalsOf)
	h.arrive(keys[:9]...)
	if h.hasImport(daily, date) {
		t.Fatal("the control totals count as a file")
	}
	h.arrive(keys[9])
	if got := h.importOf(daily, date).Status; got != etl.StatusRunning {
		t.Errorf("the import is %s", got)
	}
	arrivals, err := h.registry.Arrivals(t.Context(), daily, date)
	if err != nil || arrivals[landing.Control].Key != totalsOf || len(arrivals) != 11 {
		t.Errorf("arrivals %v, %v", arrivals, err)
	}
}

// Required control totals are awaited as a file is, told as missing at the
// deadline, and resume the import when they come.
func TestRequiredControlTotals(t *testing.T) {
	const date = "2024-10-08"
	h := open(t, required(t))
	h.arrive(files(daily, date)...)
	if h.hasImport(daily, date) {
		t.Fatal("started without control totals")
	}
	h.sweep(deadlineOf(2024, 10, 9))
	imp := h.end(h.importOf(daily, date), failed, "MissingFiles")
	if want := control.ReasonMissingFiles([]string{landing.Control}); imp.Reason != want {
		t.Errorf("reason %q, want %q", imp.Reason, want)
	}
	h.arrive(totalsOf)
	if got := h.load(imp.ImportID).Status; got != etl.StatusRunning || h.machine.redrives != 1 {
		t.Errorf("the import is %s, %d redrives", got, h.machine.redrives)
	}
}

func TestRequiredControlTotalsFirst(t *testing.T) {
	h := open(t, required(t))
	h.arrive(totalsOf)
	h.arrive(files(daily, "2024-10-08")...)
	if got := h.importOf(daily, "2024-10-08").Status; got != etl.StatusRunning {
		t.Errorf("the import is %s", got)
	}
}

// Control totals that come when the list is sealed change nothing; the warning
// names the restart that takes them in.
func TestLateControlTotals(t *testing.T) {
	const date = "2024-10-08"
	h := open(t)
	h.arrive(files(daily, date)...)
	imp := h.importOf(daily, date)
	if _, err := h.registry.Seal(t.Context(), imp.ImportID, 1, []registry.SealedFile{{Resource: "clients", Key: files(daily, date)[0]}}); err != nil {
		t.Fatal(err)
	}
	h.upload(totalsOf, "{}")
	answer, err := h.notify(totalsOf)
	if err != nil || answer.Outcome != landing.TooLate {
		t.Fatalf("%+v, %v", answer, err)
	}
	lines := h.logged(message.LogLateFile)
	if len(lines) != 1 || lines[0]["level"] != "WARN" || !strings.Contains(fmt.Sprint(lines[0]["error_details"]), "make restart IMPORT_ID="+imp.ImportID) {
		t.Errorf("logged %v", lines)
	}
	if h.machine.starts != 1 || h.machine.redrives != 0 {
		t.Errorf("%d starts, %d redrives", h.machine.starts, h.machine.redrives)
	}
}
