// Package report writes the outcome of an import: report.json for programs and
// report.html for people, both in the import's place in the work bucket.
//
// A report is written whenever an execution ends, successfully or not, and replaces
// the previous one. It is built from the registry alone, so it is written even when
// PostgreSQL is down. It contains counts, names and reasons, never a value from the
// data. Members of report.json may be added, never renamed.
package report

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
)

// Report is what report.json holds.
type Report struct {
	System      string                 `json:"system"`
	ImportID    string                 `json:"import_id"`
	Mode        etl.Mode               `json:"mode"`
	FileDate    string                 `json:"file_date"`
	Status      etl.Status             `json:"status"`
	Generation  int                    `json:"generation"`
	Step        etl.Step               `json:"processing_step,omitempty"` // where it failed
	Reason      string                 `json:"reason,omitempty"`          // why it failed
	Error       etl.Fault              `json:"error,omitempty"`           // name of the fault
	WhatToDo    string                 `json:"what_to_do,omitempty"`
	CreatedAt   time.Time              `json:"created_at"`
	StartedAt   time.Time              `json:"started_at"` // of the last attempt
	EndedAt     time.Time              `json:"ended_at,omitzero"`
	Seconds     float64                `json:"seconds"` // from the creation of the import to its end, including time spent waiting for people
	Totals      registry.Counts        `json:"totals"`
	Files       []File                 `json:"files"`
	Steps       []Step                 `json:"steps"`
	Sources     []registry.SourceTotal `json:"sources,omitempty"` // what each source of enrichment was asked
	Replay      *Replay                `json:"replay,omitempty"`  // the last replay; nil if there was none
	Replays     []registry.ReplayTotal `json:"replays,omitempty"` // what was asked after publication, by number and source
	Attempts    []registry.Attempt     `json:"attempts"`
	GeneratedAt time.Time              `json:"generated_at"`
}

// File is the outcome of one file.
type File struct {
	Resource string         `json:"resource"`
	File     string         `json:"file,omitempty"`
	Status   etl.FileStatus `json:"status,omitempty"`
	registry.Counts
	Share    float64 `json:"rejected_share"` // rejected of read, 0 to 1
	Done     bool    `json:"done"`           // every record is accounted for
	Balanced bool    `json:"balanced"`       // read = valid + rejected; meaningful once done
	Seconds  float64 `json:"work_seconds"`   // sum over its units
	// Notes are remarks in French besides the counts: why the file is refused, an
	// unterminated last line, rows that were kept, a reload that was skipped.
	Notes []string `json:"notes,omitempty"`
}

// Replay is the last replay of the import: it asks the sources again after publication.
type Replay struct {
	Number    int        `json:"number"`
	Source    string     `json:"source,omitempty"` // empty: all
	Status    etl.Status `json:"status"`
	Reason    string     `json:"reason,omitempty"`
	Resolved  int64      `json:"resolved"` // records that it completed
	Left      int64      `json:"left"`     // of the import, still not enriched
	StartedAt time.Time  `json:"started_at"`
	EndedAt   time.Time  `json:"ended_at,omitzero"`
}

// Step is what a state of the machine did.
type Step struct {
	Step  etl.Step  `json:"processing_step"`
	State etl.State `json:"state"`
	registry.Counts
	Done        int       `json:"units_done"`
	Planned     int       `json:"units_planned,omitempty"`
	Seconds     float64   `json:"seconds"`
	WorkSeconds float64   `json:"work_seconds"`
	FinishedAt  time.Time `json:"finished_at"`
}

// Build returns the report on what is known of an import at a time.
func Build(s registry.Status, now time.Time) Report {
	imp := s.Import
	r := Report{
		System: "ETL-DataLoader", ImportID: imp.ImportID, Mode: imp.Mode, FileDate: imp.FileDate, Status: imp.Status,
		Generation: imp.Generation, Step: imp.Step, Reason: message.Text(imp.Reason), Error: message.Text(imp.Fault),
		CreatedAt: imp.CreatedAt, StartedAt: imp.StartedAt, EndedAt: imp.EndedAt,
		Files: []File{}, Steps: []Step{}, Sources: s.Sources, Replays: s.Replays, Attempts: []registry.Attempt{}, GeneratedAt: now.UTC(),
	}
	if replay := imp.Replay; replay.Number > 0 {
		r.Replay = &Replay{
			Number: replay.Number, Source: replay.Source, Status: replay.Status, Reason: message.Text(replay.Reason),
			StartedAt: replay.StartedAt, EndedAt: replay.EndedAt,
		}
		r.Replay.Resolved, r.Replay.Left = s.Replayed(replay.Number)
	}
	for _, a := range s.Attempts {
		a.FailedReason = message.Text(a.FailedReason) // written before texts were bounded
		r.Attempts = append(r.Attempts, a)
	}
	if imp.Status == etl.StatusFailed {
		r.WhatToDo = fault.WhatToDo(imp.ImportID, imp.Fault, imp.Advice)
	}
	end := imp.EndedAt
	if end.IsZero() {
		end = now
	}
	r.Seconds = end.Sub(imp.CreatedAt).Seconds()
	for _, f := range s.Files {
		file := File{
			Resource: f.Resource, Status: f.Status, Counts: f.Counts, Done: f.Done,
			Balanced: f.Counts.Read == f.Counts.Valid+f.Counts.Rejected, Seconds: f.WorkSeconds, Notes: f.Notes(),
			Share: float64(f.Counts.Rejected) / float64(max(f.Counts.Read, 1)),
		}
		if f.Key != "" {
			file.File = message.Text(path.Base(f.Key))
		}
		r.Files = append(r.Files, file)
		r.Totals.Read += f.Counts.Read
		r.Totals.Valid += f.Counts.Valid
		r.Totals.Rejected += f.Counts.Rejected
		r.Totals.Enriched += f.Counts.Enriched
		r.Totals.NotEnriched += f.Counts.NotEnriched
		r.Totals.Persisted += f.Counts.Persisted
		r.Totals.Kept += f.Counts.Kept
		r.Totals.Skipped += f.Counts.Skipped
		r.Totals.Errors += f.Counts.Errors
	}
	for _, t := range s.States {
		r.Steps = append(r.Steps, Step{
			Step: t.Step, State: t.State, Counts: t.Counts, Done: t.Done, Planned: t.Planned,
			Seconds: t.Seconds(), WorkSeconds: t.WorkSeconds, FinishedAt: t.FinishedAt,
		})
	}
	return r
}

// Store keeps reports.
type Store interface {
	// Bucket returns the name of its bucket.
	Bucket() string
	// Put stores an object, which is durable on return and replaces the previous one of
	// its key. Browsers must not cache it.
	Put(ctx context.Context, key, contentType string, content []byte) error
}

// Writer writes reports to the work bucket. It is safe for concurrent use.
type Writer struct {
	Objects  Store
	Registry *registry.Registry
	Now      func() time.Time
}

// Write writes both forms of the report of an import and returns the address of the
// page and the totals that it shows. It may be repeated. It fails with *fault.Transient
// if DynamoDB or S3 did not answer; the address is valid even then.
func (w Writer) Write(ctx context.Context, importID string) (location string, totals registry.Counts, err error) {
	location = "s3://" + w.Objects.Bucket() + "/" + importID + "/report.html"
	status, err := w.Registry.Status(ctx, importID)
	if err != nil {
		return location, totals, err
	}
	r := Build(status, w.Now())
	body, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return location, r.Totals, fmt.Errorf("report: encode the report of %s: %w", importID, err)
	}
	var page bytes.Buffer
	if err := r.WriteHTML(&page); err != nil {
		return location, r.Totals, err
	}
	return location, r.Totals, errors.Join(
		w.Objects.Put(ctx, importID+"/report.json", "application/json", body),
		w.Objects.Put(ctx, importID+"/report.html", "text/html; charset=utf-8", page.Bytes()))
}
