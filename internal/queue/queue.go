// Package queue decides which date is next.
//
// [Decide] is a pure function of a [Snapshot]: it reads nothing and changes nothing.
// So control acts on the same rules by which etlctl explains what a date is waiting
// for. A snapshot need not be complete. If a decision depends on something that was
// not read yet, the verdict says what ([ReadImport], [ReadFiles]). [Reader] reads it
// and decides again, so a very long queue is read only as far as the decision needs.
//
// The rules: initial dates go before daily ones, then file dates ascending. An
// open import holds up the dates after it until it succeeds or is abandoned. So
// does a daily date that still lacks files, unless a later date is already
// published. No daily date starts before the initial import has succeeded (unless
// there is no history to load), and no initial one after anything was published.
package queue

import (
	"slices"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// Snapshot is what is known of the queue at one moment.
type Snapshot struct {
	Dates     []registry.Entry     // not finished, in their order
	Published []registry.Published // dates that succeeded
	NoHistory bool                 // there is no initial import to wait for
	Latest    string               // latest file date that is accepted, YYYY-MM-DD; empty: any
	Slot      string               // import that holds the slot; empty: it is free, or the caller will find out by trying

	// Imports holds the imports read so far, by import_id. The zero Import stands
	// for one that the registry does not have.
	Imports map[string]registry.Import
	// Files holds the files read so far, by [registry.Entry.Order] of their date.
	Files map[string]Files
}

// Files is what is known of the files of a date.
type Files struct {
	There   map[string]registry.Arrival // by resource
	Missing []string                    // missing file types
	Stays   bool                        // a file came just as the date was to leave the queue
}

// Action is what may be done about a date.
type Action int

// Actions.
const (
	Pass       Action = iota // nothing, and it holds up no other date
	Wait                     // nothing, and it holds up the dates after it
	Start                    // allot an import_id and start the import
	Resume                   // redrive the import: its missing files have arrived
	StartOver                // restart the import: its refused files were corrected
	Leave                    // remove the date from the queue: it no longer has any file
	ReadImport               // read the date's import and decide again
	ReadFiles                // read the date's files and decide again
)

// Reason is why a date cannot start.
type Reason int

// Reasons.
const (
	None         Reason = iota
	MissingFiles        // some of its files are missing, and no deadline has passed
	NoInitial           // no initial import has succeeded yet
	TooLate             // an initial date, and something is published
	Open                // its import runs, or failed and waits for a person
	Taken               // another import holds the slot
	Finished            // its import is finished, or unknown
	NotLooked           // not looked at: too many dates come before it
)

// Verdict is the decision on a date. The zero Verdict means that there is nothing to
// do.
type Verdict struct {
	Action  Action
	Reason  Reason // of Pass and Wait
	Date    registry.Entry
	Import  registry.Import // of the date; zero if it has none or it was not read
	Missing []string        // missing file types of the date
}

// unmarked bounds how many dates are looked at that are neither due nor ready:
// anybody who may upload can create very many of them.
const unmarked = 20

// Decide returns what may be done next: the verdict on the first date that may start
// or that holds up the others.
func Decide(s Snapshot) Verdict {
	left, last := unmarked, Last(s.Published)
	for _, e := range s.Dates {
		marked := e.ImportID != "" || e.Due
		if !marked && s.Latest != "" && e.FileDate > s.Latest {
			continue // recorded before there was such a limit
		}
		if !marked && !e.Ready {
			if left--; left < 0 {
				if holdsUp(e, last) {
					return Verdict{Action: Wait, Reason: NotLooked, Date: e}
				}
				continue
			}
		}
		if v := Judge(s, e); v.Action != Pass {
			return v
		}
	}
	return Verdict{}
}

// Judge returns the verdict on one date, regardless of the dates before it in the
// queue.
func Judge(s Snapshot, e registry.Entry) Verdict {
	v := Verdict{Date: e}
	if e.ImportID != "" {
		return judgeImport(s, v)
	}
	switch {
	case e.Mode == etl.ModeInitial && len(s.Published) > 0:
		v.Reason = TooLate
		return v
	case e.Mode == etl.ModeDaily && len(s.Published) == 0 && !s.NoHistory:
		v.Action, v.Reason = Wait, NoInitial
		return v
	}
	files, read := s.Files[e.Order()]
	v.Missing = files.Missing
	switch {
	case !read:
		v.Action = ReadFiles
	case len(files.There) == 0 && !e.Expected && !files.Stays:
		v.Action = Leave
	case len(files.There) == 0 && !e.Expected:
		v.lacksFiles(s)
	case len(files.Missing) == 0 || e.Due:
		v.start(s)
	default:
		v.lacksFiles(s)
	}
	return v
}

// judgeImport returns the verdict on a date that has an import.
func judgeImport(s Snapshot, v Verdict) Verdict {
	imp, read := s.Imports[v.Date.ImportID]
	if !read {
		v.Action = ReadImport
		return v
	}
	v.Import = imp
	switch {
	case imp.ImportID == "" || imp.Status == etl.StatusSucceeded || imp.Status == etl.StatusAbandoned:
		v.Reason = Finished
		return v
	case imp.Status != etl.StatusFailed || (imp.Fault != etl.FaultMissingFiles && !restartable(imp)):
		v.Action, v.Reason = Wait, Open
		return v
	}
	files, read := s.Files[v.Date.Order()]
	v.Missing = files.Missing
	switch {
	case !read:
		v.Action = ReadFiles
	case imp.Fault != etl.FaultMissingFiles && Corrected(imp, files):
		v.Action = StartOver
	case imp.Fault != etl.FaultMissingFiles:
		v.Action, v.Reason = Wait, Open
	case len(files.Missing) == 0 && isNews(files, imp):
		v.Action = Resume
	default:
		v.lacksFiles(s)
	}
	return v
}

// start completes the verdict on a date that may start.
func (v *Verdict) start(s Snapshot) {
	if s.Slot != "" {
		v.Action, v.Reason = Wait, Taken
		return
	}
	v.Action = Start
}

// lacksFiles completes the verdict on a date that lacks files.
func (v *Verdict) lacksFiles(s Snapshot) {
	v.Reason = MissingFiles
	if holdsUp(v.Date, Last(s.Published)) {
		v.Action = Wait
	}
}

// Without returns the snapshot as it is once a date has left the queue.
func (s Snapshot) Without(e registry.Entry) Snapshot {
	s.Dates = slices.DeleteFunc(slices.Clone(s.Dates), func(other registry.Entry) bool { return other.Order() == e.Order() })
	return s
}

// holdsUp reports whether a date that cannot start holds up those after it.
func holdsUp(e registry.Entry, last string) bool {
	return e.Mode == etl.ModeDaily && e.FileDate > last
}

// Last returns the latest published file date of any mode; empty for none.
func Last(published []registry.Published) string {
	last := ""
	for _, p := range published {
		last = max(last, p.FileDate)
	}
	return last
}

// clockSlack is how far apart the clocks of DynamoDB's writers and of Step Functions
// may be.
const clockSlack = 10 * time.Second

// isNews reports whether a file came since the import's attempt began. Without it, an
// import that lacks files although the registry has them all would be redriven again
// and again.
func isNews(files Files, imp registry.Import) bool {
	for _, a := range files.There {
		if a.RecordedAt.After(imp.StartedAt.Add(-clockSlack)) {
			return true
		}
	}
	return false
}
