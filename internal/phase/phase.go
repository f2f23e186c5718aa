// Package phase holds the steps of an import, one file per state of the machine.
//
// Start with reconcile.go, the shortest phase that persists, and protect.go, one
// that computes. [Common] holds what all phases share. The order of the states is in
// statemachine/import.asl.json.
//
// A phase is a Run(ctx, In) (Out, error) over small JSON structs of keys, hashes and
// counts, never rows. A phase that computes (Protect, Transform) writes its result as
// an immutable work object. A phase that persists (Stage, Validate, Prepare…) writes in
// one transaction with its row in the ledger. So every phase may run again at any time,
// even concurrently with itself: a second run finds the object or the ledger row and
// returns the same result.
//
// # Limits
//
// A day is published in one transaction, so Plan refuses a day with more than
// MaxDailyRecords records (TooManyRecords). A statement may take 14 minutes and a
// function 15, which limits the set rules and indexes of one table, and the size of the
// file that Scan reads.
package phase

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"time"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/metric"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/record"
	"etl-dataloader/internal/registry"
)

// Import identifies the work: every phase gets it.
type Import struct {
	ImportID   string   `json:"import_id"`
	Generation int      `json:"generation"`
	Mode       etl.Mode `json:"mode"`
	FileDate   string   `json:"file_date"` // YYYY-MM-DD
	// The import's data key, wrapped by KMS, and its row in etl.data_keys. Open sets
	// them, so that the phases that need them do not query the database.
	KeyID      uint32 `json:"key_id,omitempty"`
	WrappedKey []byte `json:"wrapped_key,omitempty"`
}

// Date returns the file date as a time at midnight UTC.
func (i Import) Date() (time.Time, error) {
	date, err := time.Parse(time.DateOnly, i.FileDate)
	if err != nil {
		return time.Time{}, fmt.Errorf("file date of %s: %w", i.ImportID, err)
	}
	return date, nil
}

// History provides the attempts of an import; *registry.Registry implements it.
type History interface {
	// AttemptsNow returns the attempts, oldest first, including the current one of an
	// execution that was redriven so often.
	AttemptsNow(ctx context.Context, importID, executionARN string, redrives int) ([]registry.Attempt, error)
}

// recordAttempts brings etl.attempts up to date.
func recordAttempts(ctx context.Context, db *postgres.DB, history History, imp Import, executionARN string, redrives int) error {
	attempts, err := history.AttemptsNow(ctx, imp.ImportID, executionARN, redrives)
	if err != nil || len(attempts) == 0 {
		return err
	}
	return db.RecordAttemptsAs(ctx, imp.ImportID, imp.Generation, attempts)
}

// prefix returns the key prefix of the work objects of a generation.
func (i Import) prefix() string { return fmt.Sprintf("%s/g%d/", i.ImportID, i.Generation) }

// scope binds ciphertexts to a resource of the import.
func (i Import) scope(resource string) protection.Scope {
	return protection.Scope{ImportID: i.ImportID, Generation: i.Generation, Resource: resource}
}

func (i Import) leaf(kind postgres.Kind, resource string) postgres.Leaf {
	return postgres.Leaf{Kind: kind, Resource: resource, ImportID: i.ImportID, Generation: i.Generation}
}

func (i Import) unit(state etl.State, resource string, chunk int) postgres.Unit {
	return postgres.Unit{ImportID: i.ImportID, Generation: i.Generation, Phase: state, Resource: resource, Chunk: chunk}
}

// File is one sealed object version.
type File struct {
	Resource  string `json:"resource"`
	File      string `json:"file"` // name without its prefix
	Key       string `json:"key"`
	VersionID string `json:"version_id"`
	Bytes     int64  `json:"bytes"`
	Format    string `json:"format"`
}

// Chunk is a byte range of a sealed file: an item of the manifest.
type Chunk struct {
	File
	Header   []string     `json:"header,omitempty"` // CSV: the file's own columns, in its order
	Range    record.Chunk `json:"range"`
	NextLine int64        `json:"next_line,omitempty"` // first line of the next chunk, 0 for the last
}

// lines returns the range of lines that may belong to the chunk.
func (c Chunk) lines() postgres.Lines {
	last := c.NextLine - 1
	if c.NextLine == 0 {
		last = math.MaxInt64
	}
	return postgres.Lines{First: c.Range.FirstLine, Last: last}
}

// ChunkIn is the input of the phases that work on a chunk.
type ChunkIn struct {
	Import  Import `json:"import"`
	Chunk   Chunk  `json:"chunk"`
	Attempt int    `json:"attempt"` // how often the execution was redriven
}

// answersKind is the kind of the work objects of Enrich.
const answersKind = "answers"

// object returns the key of a chunk's work object of a kind.
func (in ChunkIn) object(kind string) string {
	return fmt.Sprintf("%s%s/%s/%06d.copy", in.Import.prefix(), kind, in.Chunk.Resource, in.Chunk.Range.Index)
}

func (in ChunkIn) unit(state etl.State) postgres.Unit {
	return in.Import.unit(state, in.Chunk.Resource, in.Chunk.Range.Index)
}

// Progress records what the phases have done, so that an administrator sees how far
// an import has got, even when PostgreSQL is down.
type Progress interface {
	// RecordProgress stores the counts of one unit. It is idempotent and does not
	// retry.
	RecordProgress(ctx context.Context, importID string, generation int, p registry.Progress) error
}

// Common holds what every phase needs.
type Common struct {
	Contract *contract.Package
	Work     *objectstore.Store
	Log      *slog.Logger
	Metrics  *metric.Writer
	Progress Progress
	Now      func() time.Time
}

// done logs, measures and records the end of a unit. By then the unit is persisted, so
// a failure here deserves a warning, not a second run.
func (c *Common) done(ctx context.Context, imp Import, file string, p registry.Progress, started time.Time, text string, more ...slog.Attr) {
	p.Seconds = c.Now().Sub(started).Seconds()
	log := c.Log.With(centrallog.ImportID(imp.ImportID), centrallog.Step(p.State.Step()))
	if file != "" {
		log = log.With(centrallog.File(file))
	}
	attrs := []slog.Attr{
		slog.String("state", string(p.State)), slog.String("resource", p.Resource), slog.Int("chunk", p.Chunk),
		slog.Int64("read", p.Read), slog.Int64("valid", p.Valid), slog.Int64("rejected", p.Rejected),
		slog.Int64("enriched", p.Enriched), slog.Int64("not_enriched", p.NotEnriched),
		slog.Int64("persisted", p.Persisted), slog.Float64("seconds", p.Seconds),
	}
	log.LogAttrs(ctx, slog.LevelInfo, text, append(attrs, more...)...)
	err := c.Metrics.Put(imp.ImportID, metric.Dimensions{Step: string(p.State), Resource: p.Resource},
		metric.Value{Name: "Duration", Unit: metric.Seconds, Value: p.Seconds},
		metric.Value{Name: "RecordsRead", Unit: metric.Count, Value: float64(p.Read)},
		metric.Value{Name: "RecordsRejected", Unit: metric.Count, Value: float64(p.Rejected)},
		metric.Value{Name: "RecordsPersisted", Unit: metric.Count, Value: float64(p.Persisted)},
		metric.Value{Name: "UnitsDone", Unit: metric.Count, Value: 1})
	if err == nil {
		err = c.Progress.RecordProgress(ctx, imp.ImportID, imp.Generation, p)
	}
	if err != nil {
		log.WarnContext(ctx, ProgressNotRecorded, centrallog.Details(err.Error()))
	}
}

// resource returns a resource of the contract.
func (c *Common) resource(name string) (*contract.Resource, error) {
	if r := c.Contract.Resource(name); r != nil {
		return r, nil
	}
	return nil, fmt.Errorf("the contract has no resource %q", name)
}
