package queue_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/queue"
	"etl-dataloader/internal/registry"
)

// source is a registry that notes what is read of it.
type source struct {
	dates []registry.Entry
	imp   registry.Import
	files map[string]map[string]registry.Arrival // by date
	fails string                                 // the read that fails
	reads []string
}

var errDown = errors.New("the registry is down")

func (s *source) read(what string) error {
	s.reads = append(s.reads, what)
	if what == s.fails {
		return errDown
	}
	return nil
}

func (s *source) Queue(context.Context) ([]registry.Entry, error) { return s.dates, s.read("queue") }

func (s *source) Published(context.Context) ([]registry.Published, error) {
	return nil, s.read("published")
}

func (s *source) Import(_ context.Context, importID string) (registry.Import, error) {
	if err := s.read(importID); err != nil || s.imp.ImportID == importID {
		return s.imp, err
	}
	return registry.Import{}, registry.ErrNotFound
}

func (s *source) Arrivals(_ context.Context, _ etl.Mode, date string) (map[string]registry.Arrival, error) {
	return s.files[date], s.read(date)
}

func missing(there map[string]registry.Arrival) []string {
	if _, ok := there["produits"]; ok {
		return nil
	}
	return []string{"product_data"}
}

func decide(t *testing.T, s *source) (queue.Verdict, error) {
	t.Helper()
	r := queue.Reader{Source: s, Missing: missing}
	snapshot, err := r.Snapshot(t.Context())
	if err != nil {
		return queue.Verdict{}, err
	}
	snapshot.NoHistory = true
	return r.Decide(t.Context(), snapshot)
}

// Only what the decision needs is read, and each thing once.
func TestReaderReadsWhatIsNeeded(t *testing.T) {
	all := map[string]map[string]registry.Arrival{day8: complete().There, day9: complete().There}
	dates := []registry.Entry{entry(daily, day7, of("B")), entry(daily, day8, of("A")), entry(daily, day9)}
	for name, test := range map[string]struct {
		imp    registry.Import
		action queue.Action
		reads  []string
	}{
		"an import runs":       {imp(etl.StatusRunning, ""), queue.Wait, []string{"queue", "published", "B", "A"}},
		"an import is over":    {imp(etl.StatusSucceeded, ""), queue.Start, []string{"queue", "published", "B", "A", day9}},
		"its files came":       {imp(etl.StatusFailed, "MissingFiles"), queue.Resume, []string{"queue", "published", "B", "A", day8}},
		"they were corrected":  {imp(etl.StatusFailed, "InvalidFile", refused), queue.StartOver, []string{"queue", "published", "B", "A", day8}},
		"another fault":        {imp(etl.StatusFailed, "Mismatch"), queue.Wait, []string{"queue", "published", "B", "A"}},
		"neither import known": {registry.Import{}, queue.Start, []string{"queue", "published", "B", "A", day9}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &source{dates: dates, imp: test.imp, files: all}
			got, err := decide(t, s)
			if err != nil || got.Action != test.action {
				t.Errorf("verdict = %+v, %v", got, err)
			}
			if diff := cmp.Diff(test.reads, s.reads); diff != "" {
				t.Errorf("reads (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReaderFails(t *testing.T) {
	for _, what := range []string{"queue", "published", "A", day9} {
		s := &source{dates: []registry.Entry{entry(daily, day8, of("A")), entry(daily, day9)}, fails: what}
		if got, err := decide(t, s); !errors.Is(err, errDown) || got.Action != queue.Pass {
			t.Errorf("%s fails: %+v, %v", what, got, err)
		}
	}
}
