package phase_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/postgres/postgrestest"
)

// TestDroppedMembers: members of answers that the contract does not name are counted once
// a key, whatever became of the runs that were answered. Another answer to a later run
// does not change the count of the one that stands.
func TestDroppedMembers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		partKeys int // of 6 keys
		put, row int // that is saved, but whose answer is lost; 0 is none
	}{
		{name: "one part"},
		{name: "one part, its object found", put: 1},
		{name: "one part, its row found", row: 1},
		{name: "parts", partKeys: 4},
		{name: "parts, an object found", partKeys: 4, put: 1},
		{name: "parts, a row found", partKeys: 4, row: 1},
		{name: "parts, the joined object found", partKeys: 4, put: 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLine(t)
			l.partKeys, l.source.dropped = c.partKeys, 2
			r, in := l.toEnrich(t, etl.ModeInitial, 6)
			broken := l.enrich()
			if c.put > 0 {
				broken.Work = objectstore.New(s3.New(emulator.S3(t).Options(), func(o *s3.Options) {
					o.RetryMaxAttempts, o.HTTPClient = 1, &losingNth{HTTPClient: o.HTTPClient, saved: true, nth: c.put}
				}), l.work.Bucket())
			}
			if c.row > 0 {
				proxy := postgrestest.Listen(t, l.url)
				broken.DB = server.Open(t, proxy.URL)
				l.source.before = func([]string) error {
					if l.source.calls == c.row {
						proxy.Lose(postgrestest.LoseAnswer)
					}
					return nil
				}
			}
			if c.put+c.row > 0 {
				if _, err := broken.Run(t.Context(), in); fault.Name(fault.Lift(err)) != "Transient" {
					t.Fatalf("got %v, want a Transient fault", err)
				}
				if c.partKeys == 0 || c.put == 3 {
					l.source.dropped = 7 // all answers stand
				}
			}
			l.source.before = nil
			for _, when := range []string{"", "redriven"} {
				if out := r.enrich(t, in); out.Dropped != 12 || out.Answers.Enriched != 6 {
					t.Errorf("%s: it ends with %+v, want 12 members dropped", when, out)
				}
			}
			if got := l.registry.asked(r.imp).Dropped; got != 12 {
				t.Errorf("the progress tells of %d members, want 12", got)
			}
		})
	}
}
