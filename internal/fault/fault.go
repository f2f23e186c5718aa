// Package fault holds the failures that the state machine acts on.
//
// Step Functions sees the Go type name of the outermost error that a function
// returns, and statemachine/import.asl.json names these types in ErrorEquals.
// The names are therefore part of the machine's contract: a type may be added,
// never renamed. The machine retries a [Transient] fault. Every other one stops the
// execution, until a person or a late file resumes it. [Boundary] is the only place
// where a wrapped fault becomes the outermost error again.
//
// Messages name objects, imports, columns and lines, never the value of a field.
// They are French (texts.go): operators read them in the console, in
// alerts and in reports. Each is a [message.Text], of bounded length.
package fault

import (
	"fmt"

	"etl-dataloader/internal/message"
)

// Advice is what an operator should do about a stopped import.
type Advice string

const (
	// Redrive means that the same execution can resume once the cause is gone.
	Redrive Advice = "redrive"
	// Restart means that the import must start over, with corrected files.
	Restart Advice = "restart"
	// Continue means that a new execution must take over, under the machine's present
	// definition; it keeps what was done.
	Continue Advice = "continue"
	// None means that nothing needs to be done: another attempt has taken over.
	None Advice = "none"
)

// Stop is a fault that no retry of the machine can fix.
type Stop interface {
	error
	// Advice returns what an operator should do.
	Advice() Advice
}

// Transient reports that a system did not answer, or answered that it is busy. The
// machine retries the step. When the retries are used up, the execution fails at that
// step and can be redriven.
type Transient struct {
	Op  string // what was attempted, and on which object
	Err error  // the cause, never nil
}

// Error implements error.
func (e *Transient) Error() string { return message.Text(fmt.Sprintf("%s: %v", e.Op, e.Err)) }

// Unwrap returns the cause.
func (e *Transient) Unwrap() error { return e.Err }

// Unexpected reports an unforeseen error. It is not retried; the execution fails at
// the step and can be redriven once the cause is known.
type Unexpected struct {
	Err error // the cause, never nil
}

// Error implements error.
func (e *Unexpected) Error() string { return message.Text(e.Err.Error()) }

// Unwrap returns the cause.
func (e *Unexpected) Unwrap() error { return e.Err }

// Advice implements [Stop].
func (e *Unexpected) Advice() Advice { return Redrive }

// MissingFiles reports that the files of a date are not all there.
type MissingFiles struct {
	ImportID string
	Missing  []string // file types, in the order of the contract
}

// Error implements error.
func (e *MissingFiles) Error() string {
	return message.Text(missingFilesText(e.ImportID, e.Missing))
}

// Advice implements [Stop].
func (e *MissingFiles) Advice() Advice { return Redrive }

// RefusedFile is a file that is faulty as a whole.
type RefusedFile struct {
	File   string // the object's file name
	Reason string // what is wrong, in French, and which columns are concerned
}

// InvalidFile reports all files of an import that are faulty as a whole: empty, not
// in the contract's encoding, with another header, too large, or different from the
// control file. Nothing was published.
type InvalidFile struct {
	Files []RefusedFile // at least one, in the order of the contract
}

// Error implements error. The text names every file; their reasons share the rest of
// its length.
func (e *InvalidFile) Error() string {
	return message.Text(invalidFilesText(e.Files))
}

// Advice implements [Stop].
func (e *InvalidFile) Advice() Advice { return Restart }

// Superseded reports that the import was restarted, abandoned or finished while this
// step was running. Its writes are refused.
type Superseded struct {
	ImportID   string
	Generation int // the generation that the step belongs to
}

// Error implements error.
func (e *Superseded) Error() string {
	return message.Text(supersededText(e.ImportID, e.Generation))
}

// Advice implements [Stop].
func (e *Superseded) Advice() Advice { return None }

// BudgetExceeded reports a file of which more records are rejected than its
// budget allows. Everything is validated and the errors are stored; nothing is
// published. The same execution can resume once the limit is raised; a corrected file
// needs a restart.
type BudgetExceeded struct {
	ImportID string
	Files    []string // one text a file, with its figures and its limit
}

// Error implements error.
func (e *BudgetExceeded) Error() string {
	return message.Text(budgetExceededText(e.ImportID, e.Files))
}

// Advice implements [Stop].
func (e *BudgetExceeded) Advice() Advice { return Redrive }

// Shrink is a table that a reload would leave with too few rows.
type Shrink struct {
	Resource      string
	Before, After int64 // rows published now, and valid records of the file
}

// Implausible reports reloads that would remove more rows of their tables than
// MaxShrink allows. Everything is validated; nothing is published. The same execution
// can resume once a person accepts the loss for this import; a corrected file needs a
// restart.
type Implausible struct {
	ImportID  string
	Tables    []Shrink // at least one, in the order of the contract
	MaxShrink int      // percent
}

// Error implements error.
func (e *Implausible) Error() string {
	tables, resources := make([]string, len(e.Tables)), make([]string, len(e.Tables))
	for i, t := range e.Tables {
		tables[i], resources[i] = ShrinkText(t.Resource, t.Before, t.After), t.Resource
	}
	return message.Text(implausibleText(e.ImportID, tables, resources, e.MaxShrink))
}

// Advice implements [Stop].
func (e *Implausible) Advice() Advice { return Redrive }

// TooManyRecords reports a daily import with more records than one publishing
// transaction can process in time. Nothing was protected or staged. The import can be
// restarted with smaller files, or redriven once the limit is raised.
type TooManyRecords struct {
	ImportID string
	Records  int64 // of all files of the date
	Limit    int64 // records that a daily import may have
}

// Error implements error.
func (e *TooManyRecords) Error() string {
	return message.Text(tooManyRecordsText(e.ImportID, e.Records, e.Limit))
}

// Advice implements [Stop].
func (e *TooManyRecords) Advice() Advice { return Restart }

// Incompatible reports a work object that was written for another version of the
// tables or the contract.
type Incompatible struct {
	Object string // key of the work object
	Reason string
	// Continue says that the execution follows an older definition of the machine, so
	// that the object can be made by a new one.
	Continue bool
}

// Error implements error.
func (e *Incompatible) Error() string {
	return message.Text(incompatibleText(e.Object, e.Reason, e.Continue))
}

// Advice implements [Stop].
func (e *Incompatible) Advice() Advice {
	if e.Continue {
		return Continue
	}
	return Restart
}

// Mismatch reports that what was persisted differs from what should have been written.
type Mismatch struct {
	ImportID string
	Reason   string // which resource, and the two figures
}

// Error implements error.
func (e *Mismatch) Error() string {
	return message.Text(mismatchText(e.ImportID, e.Reason))
}

// Advice implements [Stop].
func (e *Mismatch) Advice() Advice { return Restart }

// TokenKeyChanged reports tokens that were made with another key than those that are in
// the database, as by a stack made anew. The chunk was not staged. With the key of before,
// the import can start over.
type TokenKeyChanged struct {
	ImportID string
	First    string // the import that was the first to use the database's key
}

// Error implements error.
func (e *TokenKeyChanged) Error() string {
	return message.Text(tokenKeyChangedText(e.ImportID, e.First))
}

// Advice implements [Stop].
func (e *TokenKeyChanged) Advice() Advice { return Restart }

// Refused reports a request that the state of the import does not allow, such
// as the restart of a running import.
type Refused struct {
	ImportID string
	Reason   string // why, and what to do instead
	Foreign  bool   // the request did not come from the import, so its failure is not one of the import
}

// Error implements error.
func (e *Refused) Error() string { return message.Text(message.Refused(e.ImportID, e.Reason)) }

// Advice implements [Stop].
func (e *Refused) Advice() Advice { return None }
