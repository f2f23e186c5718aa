package registry

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"time"

	"etl-dataloader/internal/etl"
)

// Status is all that is known of an import: its state, its attempts, and what its
// current generation has done. For an abandoned import, that is the last generation
// that ran.
type Status struct {
	Import   Import
	Attempts []Attempt      // oldest first
	Chunks   map[string]int // planned chunks by resource; nil before Plan
	States   []StateTotal   // in the order in which they began
	Files    []FileTotal    // in the order of the sealed list
	Sources  []SourceTotal  // by name; none if nothing was asked
	Replays  []ReplayTotal  // what was asked after publication, by number and source
	Faults   []Fault        // of the current attempt
}

// Counts are numbers of records, and of error rows.
type Counts struct {
	Read        int64 `json:"read"`
	Valid       int64 `json:"valid"`
	Rejected    int64 `json:"rejected"`
	Enriched    int64 `json:"enriched"`
	NotEnriched int64 `json:"not_enriched"`
	Persisted   int64 `json:"persisted"`
	Kept        int64 `json:"kept"`    // rows of a later date that were not overwritten
	Skipped     int64 `json:"skipped"` // records of a reload that was skipped
	Errors      int64 `json:"errors"`
}

// StateTotal sums up the units of a state of the machine.
type StateTotal struct {
	State       etl.State
	Step        etl.Step
	Done        int // units finished
	Planned     int // units planned; 0: not known
	Counts      Counts
	WorkSeconds float64   // sum over the units
	StartedAt   time.Time // when its first unit began
	FinishedAt  time.Time // when its last unit ended, so far
}

// Seconds is the time from the state's first unit to its last.
func (s StateTotal) Seconds() float64 { return s.FinishedAt.Sub(s.StartedAt).Seconds() }

// FileTotal sums up a file over all states; see [Progress] for where each count
// comes from.
type FileTotal struct {
	Resource    string
	Key         string         // of the object; empty before the list is sealed
	Status      etl.FileStatus // empty: not known yet
	Reason      string         // why the file is refused, in French; empty unless it is
	Counts      Counts
	Done        bool    // every record of the file is accounted for: CrossCheck has run
	WorkSeconds float64 // sum over the units

	Unterminated bool // its last line has no line terminator

	asked bool // Enrich has told its counts
}

// Notes returns, in French, what there is to know about the file besides its counts.
func (t FileTotal) Notes() []string {
	name := t.Resource
	if t.Key != "" {
		name = path.Base(t.Key)
	}
	return FileNotes(name, t.Reason, t.Unterminated, t.Counts.Kept, t.Counts.Skipped)
}

// Status returns all that is known of an import. It fails with [ErrNotFound] if there
// is none of that name. It reads every unit of the generation, some 300 bytes each.
func (r *Registry) Status(ctx context.Context, importID string) (Status, error) {
	imp, err := r.Import(ctx, importID)
	if err != nil {
		return Status{}, err
	}
	s := Status{Import: imp}
	generation := imp.Generation
	if imp.Status == etl.StatusAbandoned {
		generation--
	}
	var files []SealedFile
	if imp.SealedGeneration == generation {
		files = imp.Files
	}
	if s.Attempts, err = r.Attempts(ctx, importID); err != nil {
		return Status{}, err
	}
	var p plan
	if _, err := r.get(ctx, planKey(importID, generation), &p); err != nil {
		return Status{}, err
	}
	s.Chunks = p.Chunks
	if s.Faults, err = r.Faults(ctx, importID, generation, imp.StartedAt); err != nil {
		return Status{}, err
	}
	units, err := query[Progress](ctx, r, importPK(importID), fmt.Sprintf("PROGRESS#%04d#", generation))
	if err != nil {
		return Status{}, err
	}
	s.States = stateTotals(units, p.Chunks)
	s.Sources, s.Replays = sourceTotals(units), replayTotals(units)
	s.Files = fileTotals(units, files)
	for i := range s.Files {
		if s.Files[i].Status == "" {
			s.Files[i].Status = fileStatus(s.Files[i], s.Faults)
		}
	}
	return s, nil
}

// chunked reports whether the units of a state are the planned chunks.
func chunked(state etl.State) bool {
	switch state {
	case etl.StateProtect, etl.StateStage, etl.StateValidate, etl.StateEnrich, etl.StateTransform, etl.StatePrepare:
		return true
	default:
		return false
	}
}

func stateTotals(units []Progress, chunks map[string]int) []StateTotal {
	byState := map[etl.State]*StateTotal{}
	for _, u := range units {
		if u.State == etl.StateReplay {
			continue // it is no state of the import's machine
		}
		t := byState[u.State]
		began := u.FinishedAt.Add(-time.Duration(u.Seconds * float64(time.Second)))
		if t == nil {
			t = &StateTotal{State: u.State, Step: u.State.Step(), StartedAt: began}
			byState[u.State] = t
		}
		t.Done++
		t.Counts.add(u)
		t.WorkSeconds += u.Seconds
		if began.Before(t.StartedAt) {
			t.StartedAt = began
		}
		if u.FinishedAt.After(t.FinishedAt) {
			t.FinishedAt = u.FinishedAt
		}
	}
	for _, t := range byState {
		t.Planned = plannedUnits(t.State, units, chunks)
	}
	totals := make([]StateTotal, 0, len(byState))
	for _, t := range byState {
		totals = append(totals, *t)
	}
	slices.SortFunc(totals, func(a, b StateTotal) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.State, b.State))
	})
	return totals
}

// plannedUnits returns how many units of a state are planned. Enrich has those of the
// resources of which it has done a unit, since the plan does not say which are enriched.
func plannedUnits(state etl.State, units []Progress, chunks map[string]int) (planned int) {
	if !chunked(state) {
		return 0
	}
	for resource, n := range chunks {
		if state != etl.StateEnrich || slices.ContainsFunc(units, func(u Progress) bool { return u.State == state && u.Resource == resource }) {
			planned += n
		}
	}
	return planned
}

func (c *Counts) add(u Progress) {
	c.Read += u.Read
	c.Valid += u.Valid
	c.Rejected += u.Rejected
	c.Enriched += u.Enriched
	c.NotEnriched += u.NotEnriched
	c.Persisted += u.Persisted
	c.Kept += u.Kept
	c.Skipped += u.Skipped
	c.Errors += u.Errors
}

// controlResource is the resource of a date's control file in the sealed list (see
// package totals).
const controlResource = "control"

func fileTotals(units []Progress, files []SealedFile) []FileTotal {
	totals := make([]FileTotal, 0, len(files))
	at := map[string]int{}
	for _, f := range files {
		if f.Resource == controlResource && f.Status != etl.FileRejected {
			continue // it holds no records
		}
		at[f.Resource] = len(totals)
		totals = append(totals, FileTotal{Resource: f.Resource, Key: f.Key, Status: f.Status, Reason: f.Reason})
	}
	for _, u := range units {
		if u.Resource == "" {
			continue
		}
		n, ok := at[u.Resource]
		if !ok {
			n = len(totals)
			at[u.Resource] = n
			totals = append(totals, FileTotal{Resource: u.Resource})
		}
		totals[n].add(u)
	}
	return totals
}

// add takes from a unit the counts that its state is the source of. CrossCheck
// sorts before Validate, so Validate's valid never overwrites the final figure.
// Publish sorts after Prepare, so what was published replaces what was prepared. Enrich
// sorts before Transform, so what both know counts once.
func (t *FileTotal) add(u Progress) {
	t.WorkSeconds += u.Seconds
	t.Counts.Errors += u.Errors
	switch u.State {
	case etl.StateScan, etl.StateScanFile:
		t.Counts.Read += u.Read
		t.Unterminated = u.Unterminated
	case etl.StateCrossCheck:
		t.Counts.Rejected += u.Rejected
		t.Counts.Valid, t.Done = u.Valid, true
	case etl.StateValidate:
		t.Counts.Rejected += u.Rejected
		if !t.Done {
			t.Counts.Valid += u.Valid
		}
	case etl.StateEnrich:
		t.Counts.Enriched += u.Enriched
		t.Counts.NotEnriched += u.NotEnriched
		t.asked = true
	case etl.StateTransform:
		if !t.asked {
			t.Counts.Enriched += u.Enriched
			t.Counts.NotEnriched += u.NotEnriched
		}
	case etl.StatePrepare:
		t.Counts.Persisted += u.Persisted
	case etl.StatePublish:
		t.Counts.Persisted, t.Counts.Kept, t.Counts.Skipped = u.Persisted, u.Kept, u.Skipped
	}
}

// fileStatus returns the status of a file: «rejeté» if the file as a whole is faulty,
// else according to its rejects, once all its records are accounted for.
func fileStatus(t FileTotal, faults []Fault) etl.FileStatus {
	for _, f := range faults {
		if f.Name == etl.FaultInvalidFile && f.Resource == t.Resource {
			return etl.FileRejected
		}
	}
	switch {
	case t.Counts.Rejected > 0:
		return etl.FileWithRejects
	case t.Done:
		return etl.FileValid
	default:
		return ""
	}
}
