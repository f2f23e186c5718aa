package registry

import (
	"maps"
	"slices"
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

// sourceTotals returns the totals of the sources that were asked, by name.
func sourceTotals(units []Progress) []SourceTotal {
	bySource := map[string]*SourceTotal{}
	for _, u := range units {
		if u.Enrichment == nil {
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
