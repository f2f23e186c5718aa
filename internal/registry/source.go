package registry

import (
	"cmp"
	"maps"
	"slices"

	"etl-dataloader/internal/etl"
)

// SourceTotal sums up what a source of enrichment was asked, over all units; see
// [Asked] for the counts.
type SourceTotal struct {
	Source      string           `json:"source"`
	Asked       int64            `json:"asked"`
	Answered    int64            `json:"answered"`
	NotFound    int64            `json:"not_found"`
	Failed      map[string]int64 `json:"failed,omitempty"`
	Calls       int64            `json:"calls"`
	Waits       int64            `json:"waits"`
	WaitSeconds float64          `json:"wait_seconds"`
	WorkSeconds float64          `json:"work_seconds"` // sum over the units
	Dropped     int64            `json:"dropped"`
}

// NotEnriched returns how many records have no usable answer.
func (t SourceTotal) NotEnriched() (records int64) {
	for _, n := range t.Failed {
		records += n
	}
	return records
}

// NotEnriched returns how many records have no usable answer.
func (a Asked) NotEnriched() (records int64) {
	for _, n := range a.Failed {
		records += n
	}
	return records
}

// Count counts a record for which the source was asked; cause is why there is no answer.
func (a *Asked) Count(status etl.Enrichment, cause string) {
	a.Asked++
	switch status {
	case etl.EnrichmentOK:
		a.Answered++
	case etl.EnrichmentNotFound:
		a.NotFound++
	default:
		if a.Failed == nil {
			a.Failed = map[string]int64{}
		}
		a.Failed[cause]++
	}
}

// ReplayTotal sums up what a replay asked a source.
type ReplayTotal struct {
	Replay int `json:"replay"` // its number
	SourceTotal
	Skipped  int64 `json:"skipped"`  // records that a newer import has changed
	Resolved int64 `json:"resolved"` // records whose event was completed
}

// Replayed returns how many records a replay completed, and how many of the import are
// still not enriched.
func (s Status) Replayed(number int) (resolved, left int64) {
	for _, f := range s.Files {
		left += f.Counts.NotEnriched
	}
	for _, t := range s.Replays {
		left -= t.Resolved
		if t.Replay == number {
			resolved += t.Resolved
		}
	}
	return resolved, left
}

// sourceTotals returns the totals of the sources that were asked, by name.
func sourceTotals(units []Progress) []SourceTotal {
	bySource := map[string]*SourceTotal{}
	for _, u := range units {
		if u.Enrichment == nil || u.State == etl.StateReplay {
			continue
		}
		t := bySource[u.Enrichment.Source]
		if t == nil {
			t = &SourceTotal{Source: u.Enrichment.Source}
			bySource[t.Source] = t
		}
		t.add(*u.Enrichment)
		t.WorkSeconds += u.Seconds
	}
	var totals []SourceTotal
	for _, source := range slices.Sorted(maps.Keys(bySource)) {
		totals = append(totals, *bySource[source])
	}
	return totals
}

// replayTotals returns the totals of the replays, by number and source.
func replayTotals(units []Progress) (totals []ReplayTotal) {
	for _, u := range units {
		if u.Enrichment == nil || u.State != etl.StateReplay {
			continue
		}
		a := *u.Enrichment
		n := slices.IndexFunc(totals, func(t ReplayTotal) bool { return t.Replay == a.Replay && t.Source == a.Source })
		if n < 0 {
			n = len(totals)
			totals = append(totals, ReplayTotal{Replay: a.Replay, SourceTotal: SourceTotal{Source: a.Source}})
		}
		totals[n].add(a)
		totals[n].WorkSeconds += u.Seconds
		totals[n].Skipped += a.Skipped
		totals[n].Resolved += a.Resolved
	}
	slices.SortFunc(totals, func(a, b ReplayTotal) int {
		return cmp.Or(cmp.Compare(a.Replay, b.Replay), cmp.Compare(a.Source, b.Source))
	})
	return totals
}

func (t *SourceTotal) add(a Asked) {
	t.Asked += a.Asked
	t.Answered += a.Answered
	t.NotFound += a.NotFound
	for cause, n := range a.Failed {
		if t.Failed == nil {
			t.Failed = map[string]int64{}
		}
		t.Failed[cause] += n
	}
	t.Calls += a.Calls
	t.Waits += a.Waits
	t.WaitSeconds += a.WaitSeconds
	t.Dropped += a.Dropped
}
