package registry_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// An acceptance is recorded with the claim of the re-execution that it was given
// with, once; every later attempt of the generation shows it, and a restart
// clears it.
func TestAcceptances(t *testing.T) {
	r, clock := open(t)
	imp := allotted(t, r)
	imp, _ = observe(t, r, imp, 0, etl.StatusFailed, "Implausible")
	claim := func(kind etl.Kind, by string) registry.Import {
		t.Helper()
		clock.Move(time.Minute)
		claimed, err := r.Claim(t.Context(), imp, registry.Pending{
			Kind: kind, Trigger: etl.TriggerCommand, Redrives: 1,
			Accepted: []registry.Acceptance{{What: registry.AcceptShrink, Resource: "produits", By: by, Trigger: etl.TriggerCommand}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return claimed
	}
	given := claim(etl.KindResume, "first").Pending.At
	claim(etl.KindResume, "second")
	imp, _ = observe(t, r, imp, 1, etl.StatusRunning, "")
	want := []registry.Acceptance{{What: "shrink", Resource: "produits", By: "first", Trigger: "command", At: given}}
	if diff := cmp.Diff(want, imp.Accepted); diff != "" || !imp.Accepts("shrink", "produits") || imp.Accepts("shrink", "magasins") {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
	attempts, err := r.Attempts(t.Context(), imp.ImportID)
	if err != nil || len(attempts) != 2 || len(attempts[0].Accepted) != 0 || cmp.Diff(want, attempts[1].Accepted) != "" {
		t.Errorf("attempts %+v, %v", attempts, err)
	}
	imp, _ = observe(t, r, imp, 1, etl.StatusFailed, "Implausible")
	imp, err = r.Begin(t.Context(), claim(etl.KindRestart, "third"), 2, arn)
	if err != nil || imp.Accepted != nil {
		t.Errorf("after a restart: %+v, %v", imp.Accepted, err)
	}
}
