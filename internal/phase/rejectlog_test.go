package phase_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres/postgrestest"
)

// TestRejectsAreLoggedOnce runs every state again and again, after each of its
// commits failed or had its answer lost, and once more when all is done: the central
// log has one line for each reason of each reject that etl.errors has.
func TestRejectsAreLoggedOnce(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.chunkBytes, l.chunkRecords = 400, 6
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().
		with("clients", "105,,Vide,pas une adresse,12,,,,Lyon,FR,2024-02-02T03:04:05Z").
		with("magasins", "3,,Metz,FR,2010-01-01", "3,Nord,Metz,FR,2010-01-01", "4,trop,de,champs,FR,2010-01-01").
		with("ventes", "1010,999,1,1,1,1,1.00,2024-10-05,web", "1011,999,1,77,1,1,1.00,2024-10-05,web").csv(t))
	proxy := postgrestest.Listen(t, l.url)
	l.db = server.Open(t, proxy.URL)
	r.around = func(state string, once func() (any, error)) (any, error) {
		for _, loss := range []postgrestest.Loss{postgrestest.LoseRequest, postgrestest.LoseAnswer} {
			for commits := range int32(3) {
				proxy.LoseAfter(loss, commits)
				if _, err := once(); err != nil && fault.Name(fault.Lift(err)) != "Transient" {
					t.Fatalf("%s: %v", state, err)
				}
			}
		}
		proxy.Lose(postgrestest.LoseNothing)
		if _, err := once(); err != nil {
			t.Fatalf("%s: %v", state, err)
		}
		return once()
	}
	r.through(t, "Open", "Publish")
	l.loggedOnce(t, r, 8)
}

// loggedOnce compares the lines of the log with the errors that are stored, of
// which there must be some.
func (l *line) loggedOnce(t *testing.T, r *run, atLeast int) {
	t.Helper()
	stored := postgrestest.Scan[[]string](t, l.conn, `SELECT array_agg(concat_ws(' ', file, line_number, error_details)) FROM etl.errors
		WHERE import_id = $1 AND processing_step = $2`, r.imp.ImportID, etl.StepValidation)
	var logged []string
	for _, line := range l.log.lines(t, phase.ValidationError) {
		logged = append(logged, fmt.Sprintf("%s %d %s", line.File, line.Line, line.Details))
	}
	slices.Sort(stored)
	slices.Sort(logged)
	if diff := cmp.Diff(stored, logged); diff != "" || len(stored) < atLeast {
		t.Errorf("%d errors; log (-want +got):\n%s", len(stored), diff)
	}
}
