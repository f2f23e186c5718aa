package control_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

const anne = "arn:aws:iam::111122223333:user/anne"

// A person accepts that two tables shrink: it is recorded with who, when the resume
// is claimed, and stands in the attempt; a redrive that fails is no reason to ask
// for it again.
func TestAccept(t *testing.T) {
	for _, mode := range []etl.Kind{etl.KindResume, etl.KindContinue} {
		h, imp := failedImport(t, "Implausible")
		request := control.Request{
			ImportID: imp.ImportID, Mode: mode,
			Accept: []string{"shrink=produits", "shrink=magasins"},
		}
		h.machine.fail = map[etl.Kind]string{etl.KindResume: "Redrive", etl.KindContinue: "Start"}[mode]
		if _, err := h.rerunner.Rerun(t.Context(), caller.Identity{ARN: anne}, request); err == nil {
			t.Fatal("no error")
		}
		if got := h.load(imp.ImportID); !got.Accepts("shrink", "produits") || !got.Accepts("shrink", "magasins") {
			t.Errorf("%s: accepted %+v before the redrive", mode, got.Accepted)
		}
		if mode == etl.KindResume {
			if _, err := h.rerun(imp.ImportID, mode); err != nil {
				t.Fatal(err)
			}
		}
		attempts, err := h.registry.Attempts(t.Context(), imp.ImportID)
		if err != nil {
			t.Fatal(err)
		}
		last := attempts[len(attempts)-1]
		if want := registry.Accepted("shrink=produits", anne) + ", " + registry.Accepted("shrink=magasins", anne); last.Acceptances() != want {
			t.Errorf("%s: the attempt says %q, want %q", mode, last.Acceptances(), want)
		}
		if attempts[0].Acceptances() != "" {
			t.Errorf("%s: the first attempt says %q", mode, attempts[0].Acceptances())
		}
	}
}

func TestAcceptRefused(t *testing.T) {
	h, imp := failedImport(t, "Implausible")
	var resources []string
	for _, f := range types {
		resources = append(resources, f.Resource)
	}
	for _, test := range []struct {
		mode         etl.Kind
		accept, want string
	}{
		{etl.KindResume, "shrink=clientes", control.RefusedAccept("shrink=clientes", resources)},
		{etl.KindResume, "shrink", control.RefusedAccept("shrink", resources)},
		{etl.KindResume, "", control.RefusedAccept("", resources)},
		{etl.KindContinue, "budget=produits", control.RefusedAccept("budget=produits", resources)},
		{etl.KindResume, "shrink=control", control.RefusedAccept("shrink=control", resources)},
		{etl.KindResume, "shrink=\x1b]0;x", control.RefusedAccept("shrink=\x1b]0;x", resources)},
		{etl.KindRestart, "shrink=magasins", control.RefusedAcceptMode},
		{etl.KindAbandon, "shrink=magasins", control.RefusedAcceptMode},
	} {
		_, err := h.rerunner.Rerun(t.Context(), caller.Identity{}, control.Request{ImportID: imp.ImportID, Mode: test.mode, Accept: []string{"shrink=produits", test.accept}})
		if diff := cmp.Diff(test.want, refused(err)); diff != "" {
			t.Errorf("%s %q (-want +got):\n%s", test.mode, test.accept, diff)
		}
	}
	if got := h.load(imp.ImportID); got.Accepted != nil || got.Status != etl.StatusFailed {
		t.Errorf("import = %+v", got)
	}
}

// Repeated acceptances would make a request too long for the audit: it is refused.
func TestAcceptTwice(t *testing.T) {
	h, imp := failedImport(t, "Implausible")
	unknown := make([]string, len(types)+1)
	for i := range unknown {
		unknown[i] = strconv.Itoa(i)
	}
	for name, accept := range map[string][]string{
		"twice":     {"shrink=produits", "shrink=magasins", "shrink=produits"},
		"very long": slices.Repeat([]string{"shrink=produits"}, 10_000),
		"too many":  unknown,
	} {
		request := control.Request{ImportID: imp.ImportID, Mode: etl.KindResume, Accept: accept}
		_, err := h.rerunner.Rerun(t.Context(), caller.Identity{ARN: anne}, request)
		if diff := cmp.Diff(control.RefusedAcceptMany(len(types)), refused(err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := h.load(imp.ImportID); got.Accepted != nil || got.Status != etl.StatusFailed || len(h.audit.entries) != 0 {
		t.Errorf("import = %+v, audit %d", got, len(h.audit.entries))
	}
}
