package registry_test

import (
	"testing"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// An import that was given up is listed until it is restarted.
func TestAbandoned(t *testing.T) {
	r, _ := open(t)
	imp := allotted(t, r)
	imp, _ = observe(t, r, imp, 0, etl.StatusFailed, "Unexpected")
	listed := func(want ...string) {
		t.Helper()
		all, err := r.Abandoned(t.Context())
		if err != nil || len(all) != len(want) || (len(want) == 1 && all[0].ImportID != want[0]) {
			t.Errorf("abandoned: %+v, %v; want %v", all, err, want)
		}
	}
	claim := func(kind etl.Kind) registry.Import {
		t.Helper()
		claimed, err := r.Claim(t.Context(), imp, registry.Pending{Kind: kind, Trigger: etl.TriggerCommand})
		if err != nil {
			t.Fatal(err)
		}
		return claimed
	}
	listed()
	imp, err := r.Abandon(t.Context(), claim(etl.KindAbandon), 2)
	if err != nil {
		t.Fatal(err)
	}
	listed(imp.ImportID)
	if _, err := r.Begin(t.Context(), claim(etl.KindRestart), 3, arn); err != nil {
		t.Fatal(err)
	}
	listed()
}
