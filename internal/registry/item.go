package registry

import (
	"fmt"
	"time"

	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/etl"
)

// Arrival is the newest known version of one object of the landing bucket.
type Arrival struct {
	key
	Resource     string    `dynamodbav:"resource"` // target name, such as "clients"
	Key          string    `dynamodbav:"key"`      // the object's key
	VersionID    string    `dynamodbav:"version_id"`
	Size         int64     `dynamodbav:"size"` // bytes
	ETag         string    `dynamodbav:"etag"`
	LastModified time.Time `dynamodbav:"last_modified"`
	RecordedAt   time.Time `dynamodbav:"recorded_at"`
}

// SealedFile is an object version that an import has chosen for a resource.
type SealedFile struct {
	Resource     string    `dynamodbav:"resource" json:"resource"`
	Key          string    `dynamodbav:"key" json:"key"`
	VersionID    string    `dynamodbav:"version_id" json:"version_id"`
	Size         int64     `dynamodbav:"size" json:"size"` // bytes
	ETag         string    `dynamodbav:"etag" json:"etag"`
	LastModified time.Time `dynamodbav:"last_modified" json:"last_modified"`
	FileStatus
}

// Entry is a date in the queue, that is, one that is not finished.
type Entry struct {
	key
	Mode     etl.Mode  `dynamodbav:"mode"`
	FileDate string    `dynamodbav:"file_date"` // YYYY-MM-DD
	ImportID string    `dynamodbav:"import_id"` // empty: «en attente»
	Due      bool      `dynamodbav:"due"`       // its deadline has passed: it starts even if files are missing
	Since    time.Time `dynamodbav:"since"`     // when the first of its files was recorded, or when it became due

	Expected bool `dynamodbav:"expected"` // a deadline was for this very date: it starts even without any file
	Ready    bool `dynamodbav:"ready"`    // all its files were once there: a hint to look again, not a decision
	Told     bool `dynamodbav:"told"`     // operators were told that it lacks files although a later date is published
	Revision int  `dynamodbav:"revision"`
}

// Order returns the date's sort key in the queue.
func (e Entry) Order() string { return order(e.Mode, e.FileDate) }

// Import is the state of an import.
type Import struct {
	key
	Revision     int        `dynamodbav:"revision"`
	ImportID     string     `dynamodbav:"import_id"`
	Mode         etl.Mode   `dynamodbav:"mode"`
	FileDate     string     `dynamodbav:"file_date"` // YYYY-MM-DD
	Status       etl.Status `dynamodbav:"status"`
	Generation   int        `dynamodbav:"generation"`
	ExecutionARN string     `dynamodbav:"execution_arn"` // the current execution
	Executions   int        `dynamodbav:"executions"`    // executions begun so far, the current one included
	Observed     Moment     `dynamodbav:"observed"`      // latest moment seen of the current execution
	Attempts     int        `dynamodbav:"attempts"`      // attempts recorded so far

	// Why it failed; empty while it runs and after success.
	State  etl.State `dynamodbav:"state"`  // state of the machine, such as "ScanFile"
	Step   etl.Step  `dynamodbav:"step"`   // processing step, in French
	Fault  etl.Fault `dynamodbav:"fault"`  // error name, such as "MissingFiles"
	Reason string    `dynamodbav:"reason"` // text for people
	Advice string    `dynamodbav:"advice"` // redrive, restart or none

	SealedGeneration int          `dynamodbav:"sealed_generation"` // generation that sealed Files; 0: none yet
	Files            []SealedFile `dynamodbav:"files"`

	Accepted []Acceptance `dynamodbav:"accepted"` // by the current generation; a restart clears it

	Pending   Pending   `dynamodbav:"pending"`
	Automatic Automatic `dynamodbav:"automatic"`

	// FileRestarts counts the restarts caused by corrected files, over all generations.
	FileRestarts int `dynamodbav:"file_restarts"`
	// Recorded is the state that the database's copy shows, see [Import.Unrecorded]; 0: nothing was copied.
	Recorded int `dynamodbav:"recorded"`

	Replay Replay `dynamodbav:"replay"` // the last one

	Notified  Moment    `dynamodbav:"notified"` // the moment after the end that was reported and alerted; 0: none
	CreatedAt time.Time `dynamodbav:"created_at"`
	UpdatedAt time.Time `dynamodbav:"updated_at"`
	StartedAt time.Time `dynamodbav:"started_at"` // of the current attempt
	EndedAt   time.Time `dynamodbav:"ended_at"`   // of the last attempt that ended; zero while running
}

// Pending is a re-execution that was requested and has not yet been seen running. It
// names what triggered it, and keeps out a second re-execution of the same import.
type Pending struct {
	Kind     etl.Kind    `dynamodbav:"kind"` // empty: none
	Trigger  etl.Trigger `dynamodbav:"trigger"`
	By       string      `dynamodbav:"by"`       // who requested it, see [Attempt]
	Redrives int         `dynamodbav:"redrives"` // number of the requested redrive
	At       time.Time   `dynamodbav:"at"`

	Accepted []Acceptance `dynamodbav:"-"` // requested with it; [Registry.Claim] moves them to the import
}

func (p Pending) is(q Pending) bool {
	return p.Kind == q.Kind && p.Trigger == q.Trigger && p.Redrives == q.Redrives && p.At.Equal(q.At)
}

// Sealed reports whether the current generation has sealed its list of versions.
func (i Import) Sealed() bool { return i.SealedGeneration == i.Generation }

// finished reports whether only a restart can make the import run again.
func (i *Import) finished() bool {
	return i.Status == etl.StatusSucceeded || i.Status == etl.StatusAbandoned
}

// Redrives returns how often the current execution is known to have been redriven.
func (i Import) Redrives() int { return i.Observed.Redrives() }

// Uses reports whether the sealed list contains this very version.
func (i Import) Uses(a Arrival) bool {
	for _, f := range i.Files {
		if f.Key == a.Key && f.VersionID == a.VersionID && f.ETag == a.ETag {
			return true
		}
	}
	return false
}

// Attempt is one start, redrive or restart of an import, or its abandonment.
type Attempt struct {
	key
	Number       int         `dynamodbav:"number" json:"number"` // from 1
	Kind         etl.Kind    `dynamodbav:"kind" json:"kind"`
	Trigger      etl.Trigger `dynamodbav:"trigger" json:"trigger"`
	By           string      `dynamodbav:"by,omitempty" json:"by,omitempty"` // identity of the person behind it, as people read it; empty: unknown, or no person
	At           time.Time   `dynamodbav:"at" json:"at"`
	Generation   int         `dynamodbav:"generation" json:"generation"`
	ExecutionARN string      `dynamodbav:"execution_arn" json:"execution_arn"`
	FailedStep   etl.Step    `dynamodbav:"failed_step" json:"failed_step,omitempty"` // of the failure that it follows
	FailedReason string      `dynamodbav:"failed_reason" json:"failed_reason,omitempty"`

	Accepted []Acceptance `dynamodbav:"accepted,omitempty" json:"accepted,omitempty"` // in force for this attempt

	Caller caller.Identity `dynamodbav:"caller,omitempty" json:"-"` // of a redrive in the console, once CloudTrail named it
}

// Fault is the last fault of a state, as its function reported it.
type Fault struct {
	key
	State    etl.State `dynamodbav:"state" json:"state"`
	Resource string    `dynamodbav:"resource" json:"resource,omitempty"` // empty: not about one file
	Name     etl.Fault `dynamodbav:"name" json:"name"`                   // error name, such as "InvalidFile"
	Message  string    `dynamodbav:"message" json:"message"`             // text for people
	Advice   string    `dynamodbav:"advice" json:"advice"`
	At       time.Time `dynamodbav:"at" json:"at"`
}

// Progress is what one unit of a state has done. A unit is a chunk of a resource, a
// resource (chunk 0), or the whole state (resource empty). A unit that runs again
// replaces its item, so nothing counts twice.
//
// A state records the counts that it knows. The totals of a file take
//   - read from ScanFile (or Scan);
//   - rejected from Validate plus CrossCheck;
//   - valid from CrossCheck once it has run for the resource, until then from Validate;
//   - enriched from Enrich, or from Transform of an import that had no such state;
//   - persisted from Publish once it has run, until then from Prepare;
//   - kept and skipped from Publish.
type Progress struct {
	key
	State       etl.State `dynamodbav:"state" json:"state"`
	Resource    string    `dynamodbav:"resource" json:"resource,omitempty"`
	Chunk       int       `dynamodbav:"chunk" json:"chunk"`
	Read        int64     `dynamodbav:"read" json:"read"`
	Valid       int64     `dynamodbav:"valid" json:"valid"`
	Rejected    int64     `dynamodbav:"rejected" json:"rejected"`
	Enriched    int64     `dynamodbav:"enriched" json:"enriched"`
	NotEnriched int64     `dynamodbav:"not_enriched" json:"not_enriched"`
	Persisted   int64     `dynamodbav:"persisted" json:"persisted"`
	Kept        int64     `dynamodbav:"kept,omitempty" json:"kept,omitempty"`       // of Publish: rows of a later date that were not overwritten
	Skipped     int64     `dynamodbav:"skipped,omitempty" json:"skipped,omitempty"` // of Publish: records of a reload skipped because its table has a later date
	Errors      int64     `dynamodbav:"errors" json:"errors"`                       // error rows written; a record may have several
	Seconds     float64   `dynamodbav:"seconds" json:"seconds"`                     // work of the unit
	FinishedAt  time.Time `dynamodbav:"finished_at" json:"finished_at"`
	// Of Scan: the last line of the file has no line terminator.
	Unterminated bool `dynamodbav:"unterminated,omitempty" json:"unterminated,omitempty"`
	// Of Enrich and Replay: what it asked; nil in other states.
	Enrichment *Asked `dynamodbav:"enrichment,omitempty" json:"enrichment,omitempty"`
}

// Asked counts the records for which a source was asked, by its answers. Asked is the
// sum of answered, not found and failed.
type Asked struct {
	Source      string           `dynamodbav:"source" json:"source"`
	Asked       int64            `dynamodbav:"asked,omitempty" json:"asked,omitempty"` // records
	Answered    int64            `dynamodbav:"answered,omitempty" json:"answered,omitempty"`
	NotFound    int64            `dynamodbav:"not_found,omitempty" json:"not_found,omitempty"` // the source answered that it does not know the key
	Failed      map[string]int64 `dynamodbav:"failed,omitempty" json:"failed,omitempty"`       // not enriched, by cause
	Calls       int64            `dynamodbav:"calls,omitempty" json:"calls,omitempty"`
	Waits       int64            `dynamodbav:"waits,omitempty" json:"waits,omitempty"` // pauses because the source did not answer
	WaitSeconds float64          `dynamodbav:"wait_seconds,omitempty" json:"wait_seconds,omitempty"`
	Dropped     int64            `dynamodbav:"dropped,omitempty" json:"dropped,omitempty"` // members of answers that the contract does not take

	// Of Replay.
	Replay   int   `dynamodbav:"replay,omitempty" json:"replay,omitempty"`     // its number
	Skipped  int64 `dynamodbav:"skipped,omitempty" json:"skipped,omitempty"`   // records that a newer import has changed, for which nothing was asked or kept
	Resolved int64 `dynamodbav:"resolved,omitempty" json:"resolved,omitempty"` // records whose event was completed
}

func dateKey(mode etl.Mode, date string) string { return "DATE#" + string(mode) + "#" + date }

func arrivalKey(mode etl.Mode, date, resource, object string) key {
	return key{PK: dateKey(mode, date), SK: "ARRIVAL#" + resource + "#" + object}
}

func dateImportKey(mode etl.Mode, date string) key { return key{PK: dateKey(mode, date), SK: "IMPORT"} }

// order returns a sort key: the initial import before the daily ones, then dates
// ascending.
func order(mode etl.Mode, date string) string {
	if mode == etl.ModeInitial {
		return "0#" + date
	}
	return "1#" + date
}

func queueKey(mode etl.Mode, date string) key { return key{PK: "QUEUE", SK: order(mode, date)} }

func slotKey() key { return key{PK: "SLOT", SK: "CURRENT"} }

func importPK(importID string) string { return "IMPORT#" + importID }

func metaKey(importID string) key { return key{PK: importPK(importID), SK: "META"} }

func attemptKey(importID string, n int) key {
	return key{PK: importPK(importID), SK: fmt.Sprintf("ATTEMPT#%03d", n)}
}

func progressKey(importID string, generation int, state etl.State, resource string, chunk int) key {
	return key{PK: importPK(importID), SK: fmt.Sprintf("PROGRESS#%04d#%s#%s#%07d", generation, state, resource, chunk)}
}
