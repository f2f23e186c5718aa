package phase

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/record"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/totals"
	"etl-dataloader/internal/validation"
)

// ScanIn names the file to read.
type ScanIn struct {
	Import  Import `json:"import"`
	File    File   `json:"file"`
	Control *File  `json:"control"` // the date's control file; null: none
	Attempt int    `json:"attempt"`
}

// ScanOut locates the file's list of chunks, or says why the file is refused.
type ScanOut struct {
	Resource string             `json:"resource"`
	File     string             `json:"file"`
	Bytes    int64              `json:"bytes"`
	Records  int64              `json:"records"` // including malformed ones
	Chunks   int                `json:"chunks"`
	Object   objectstore.Object `json:"object"` // none for a file that is refused
	// Refused is the reason, in French, why the file is faulty as a whole; empty if it
	// is not. Plan fails with it once all files are scanned.
	Refused string `json:"refused,omitempty"`
	// Unterminated reports whether the last line has no line terminator.
	Unterminated bool `json:"unterminated,omitempty"`
	// SHA256 is the hash of the whole file, in hexadecimal; empty without a control file.
	SHA256 string `json:"sha256,omitempty"`
}

// Scan reads a file once, checks it as a whole, and cuts it into chunks.
type Scan struct {
	Common
	Landing *objectstore.Store
	// ChunkBytes is the size at which a chunk ends (default 32 MiB). A chunk also ends
	// after ChunkRecords records (default 2,000) in daily mode, and after a million
	// records in initial mode.
	ChunkBytes, ChunkRecords int64
	// MaxFileBytes is the size above which a file is refused unread; 0 means no limit.
	MaxFileBytes int64
}

// refusal is why a file is faulty as a whole.
type refusal struct{ reason string }

// Error implements error.
func (e *refusal) Error() string { return e.reason }

// Run scans the file into a work object of chunks. A second run returns the object
// of the first. A file that is faulty as a whole is not an error here, so that the
// other files are read too: the output contains the reason, and no object is written.
func (p *Scan) Run(ctx context.Context, in ScanIn) (ScanOut, error) {
	started := p.Now()
	r, err := p.resource(in.File.Resource)
	if err != nil {
		return ScanOut{}, err
	}
	out := ScanOut{Resource: r.Name, File: in.File.File, Bytes: in.File.Bytes}
	key := in.Import.prefix() + "chunks/" + in.File.Resource + ".jsonl"
	object, created, err := p.Work.PutOnce(ctx, key, nil, func(w io.Writer) error {
		return p.cut(ctx, in, r, w, &out)
	})
	if refused, ok := errors.AsType[*refusal](err); ok {
		p.Log.ErrorContext(ctx, LogFileRefused, centrallog.ImportID(in.Import.ImportID), centrallog.File(in.File.File),
			centrallog.Details(refused.reason), centrallog.Step(etl.StepLoading))
		return ScanOut{Resource: r.Name, File: in.File.File, Bytes: in.File.Bytes, Refused: refused.reason}, nil
	}
	if err != nil {
		return ScanOut{}, err
	}
	if out.Object = object; !created {
		if err := p.reread(ctx, &out); err != nil {
			return ScanOut{}, err
		}
	}
	if out.Unterminated {
		p.Log.WarnContext(ctx, registry.Unterminated, centrallog.ImportID(in.Import.ImportID), centrallog.File(in.File.File), centrallog.Step(etl.StepLoading))
	}
	p.done(ctx, in.Import, in.File.File, registry.Progress{
		State: etl.StateScan, Resource: r.Name, Read: out.Records, Unterminated: out.Unterminated,
	}, started, fileScanned)
	return out, nil
}

// maxChunkRecords bounds the work on a chunk of an initial import. 32 MiB hold some
// 400,000 clients or sales, but 16 million empty records, each of which would take a
// protected text, an error and a log line.
const maxChunkRecords = 1_000_000

// cut writes the chunks of the file to w.
func (p *Scan) cut(ctx context.Context, in ScanIn, r *contract.Resource, w io.Writer, out *ScanOut) error {
	if p.MaxFileBytes > 0 && in.File.Bytes > p.MaxFileBytes {
		return &refusal{validation.FileTooLarge(in.File.Bytes, p.MaxFileBytes)}
	}
	body := p.Landing.OpenAhead(ctx, in.File.Key, in.File.VersionID, in.File.Bytes)
	defer func() { _ = body.Close() }()
	var content io.Reader = body
	var meter *totals.Meter
	if in.Control != nil {
		meter = totals.NewMeter(body)
		content = meter
	}
	limits := record.Limits{ChunkBytes: p.ChunkBytes, ChunkRecords: maxChunkRecords}
	if in.Import.Mode == etl.ModeDaily {
		limits.ChunkRecords = p.ChunkRecords
	}
	var chunks []record.Chunk // about 80 bytes per 32 MiB of the file
	summary, err := record.Cut(content, validation.Layout(r, in.File.Format), limits, func(c record.Chunk) error {
		chunks = append(chunks, c)
		return nil
	})
	if err != nil {
		return invalidFile(r, in.File, err)
	}
	if summary.Records == 0 && !r.EmptyAllowed {
		return &refusal{validation.FileNoRecord}
	}
	out.Records, out.Chunks, out.Unterminated = summary.Records, len(chunks), summary.Unterminated
	if meter != nil {
		total := meter.Total(summary.Records)
		out.Bytes, out.SHA256 = total.Bytes, hex.EncodeToString(total.SHA256[:])
	}
	if summary.Header != nil && !slices.Equal(summary.Header, r.Columns()) {
		p.Log.InfoContext(ctx, validation.HeaderReordered, centrallog.ImportID(in.Import.ImportID), centrallog.File(in.File.File),
			centrallog.Details(validation.HeaderOrder(summary.Header)), centrallog.Step(etl.StepLoading))
	}
	buffered := bufio.NewWriter(w)
	lines := json.NewEncoder(buffered)
	for i, c := range chunks {
		item := Chunk{File: in.File, Header: summary.Header, Range: c}
		if i+1 < len(chunks) {
			item.NextLine = chunks[i+1].FirstLine
		}
		if err := lines.Encode(item); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

// invalidFile turns the reader's error about a faulty file into a refusal, and returns
// other errors unchanged.
func invalidFile(r *contract.Resource, file File, err error) error {
	faulty, ok := errors.AsType[*record.FileError](err)
	if !ok {
		return fmt.Errorf("scan %s: %w", file.Key, err)
	}
	return &refusal{validation.FileReason(r.Encoding, faulty)}
}

// reread counts the chunks in the object of an earlier run.
func (p *Scan) reread(ctx context.Context, out *ScanOut) (err error) {
	out.Records, out.Chunks = 0, 0
	out.Object, err = p.Work.Read(ctx, out.Object, func(r io.Reader) error {
		return eachChunk(r, func(c Chunk) error {
			out.Chunks++
			out.Records += c.Range.Records
			return nil
		})
	})
	return err
}

// eachChunk calls each for every chunk in a list.
func eachChunk(r io.Reader, each func(Chunk) error) error {
	lines := json.NewDecoder(bufio.NewReader(r))
	for {
		var c Chunk
		switch err := lines.Decode(&c); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("list of chunks: %w", err)
		}
		if err := each(c); err != nil {
			return err
		}
	}
}
