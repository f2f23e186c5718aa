package etl_test

import (
	"fmt"
	"testing"

	"etl-dataloader/internal/etl"
)

// TestStatuses: these texts are data, which databases, registries and reports hold.
func TestStatuses(t *testing.T) {
	t.Parallel()
	got := fmt.Sprint([]etl.Status{etl.StatusWaiting, etl.StatusRunning, etl.StatusSucceeded, etl.StatusFailed, etl.StatusAbandoned},
		[]etl.FileStatus{etl.FileValid, etl.FileWithRejects, etl.FileRejected})
	if want := "[en attente en cours réussi échoué abandonné] [validé avec rejets rejeté]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestStep: the steps are the seven of the requirements, and a name that is no
// state has none.
func TestStep(t *testing.T) {
	t.Parallel()
	for step, states := range map[etl.Step][]etl.State{
		"Chargement des fichiers":          {"Open", "Scan", "ScanFile", "Plan"},
		"Tokenisation et encryptage":       {"Protect"},
		"Persistance des données brutes":   {"Stage", "IndexStaging", "IndexStagingResource"},
		"Validation des données":           {"Raw", "Validate", "CrossCheck"},
		"Transformation et enrichissement": {"Enrich", "EnrichSource", "EnrichChunk", "EnrichNext", "EnrichWait", "EnrichDone", "Events", "Transform"},
		"Persistance des événements":       {"Prepare", "IndexTargets", "IndexTarget", "Reconcile", "Publish"},
		"":                                 {"", "open", "Nothing"},
	} {
		for _, state := range states {
			if got := state.Step(); got != step {
				t.Errorf("state %q is step %q, want %q", state, got, step)
			}
		}
	}
	if etl.StepRerun != "Réexécution" {
		t.Errorf("the step of a re-execution is %q", etl.StepRerun)
	}
}
