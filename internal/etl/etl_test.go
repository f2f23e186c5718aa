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
