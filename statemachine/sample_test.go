package statemachine_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"etl-dataloader/internal/answers"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/record"
)

const (
	importID  = "IMPORT_20241009_150000_001"
	execution = "arn:aws:states:eu-west-3:111122223333:execution:etl-dataloader-import:" + importID
	checksum  = "rosUhgp5mIg="
	version   = "3HL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo"
)

// sample holds the outputs of a finished import of the given number of chunks,
// made of the phases' own structs, with texts of the length that AWS gives them.
type sample struct {
	pkg    *contract.Package
	imp    phase.Import
	chunks int

	sources  int              // of enrichment
	enriched []phase.Enriched // what Enrich returns, one after the other; then it is done
}

func newSample(t *testing.T, chunks int) *sample {
	t.Helper()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	wrapped := make([]byte, 184) // KMS: a wrapped data key of 32 bytes
	for i := range wrapped {
		wrapped[i] = byte(i)
	}
	return &sample{pkg: pkg, chunks: chunks, sources: 3, imp: phase.Import{
		ImportID: importID, Generation: 1, Mode: etl.ModeDaily, FileDate: "2024-10-08", KeyID: 7, WrappedKey: wrapped,
	}}
}

func object(key string) objectstore.Object {
	return objectstore.Object{Key: importID + "/g1/" + key, VersionID: version, Checksum: checksum, Bytes: 34_117_325}
}

func (s *sample) file(r *contract.Resource) phase.File {
	name := r.FileType + "_20241008.csv"
	return phase.File{Resource: r.Name, File: name, Key: "daily/" + name, VersionID: version, Bytes: 10_737_418_240, Format: "csv"}
}

// chunk is an item of the manifest.
func (s *sample) chunk(r *contract.Resource, index int) phase.Chunk {
	first := int64(index)*100_000 + 2
	return phase.Chunk{
		File: s.file(r), Header: r.Columns(), NextLine: first + 100_000,
		Range: record.Chunk{Index: index, Start: int64(index) << 25, End: int64(index+1) << 25, FirstLine: first, Records: 100_000},
	}
}

func (s *sample) open() phase.OpenOut {
	out := phase.OpenOut{Import: s.imp, Settings: phase.Settings{ScanConcurrency: 4, ChunkConcurrency: 4, IndexConcurrency: 2}}
	for _, r := range s.pkg.Resources {
		out.Files = append(out.Files, s.file(r))
	}
	out.Control = &phase.File{
		Resource: "control", File: "control_20241008.json", Key: "daily/control_20241008.json", VersionID: version, Bytes: 2_000, Format: "json",
	}
	return out
}

func (s *sample) scan(in phase.ScanIn) phase.ScanOut {
	return phase.ScanOut{
		Resource: in.File.Resource, File: in.File.File, Bytes: in.File.Bytes, Records: int64(s.chunks) * 10_000, Chunks: s.chunks / 10,
		SHA256: strings.Repeat("0", 64), Refused: strings.Repeat("x", 1024),
		Object: object("chunks/" + in.File.Resource + ".jsonl"),
	}
}

func (s *sample) plan(in phase.PlanIn) phase.PlanOut {
	out := phase.PlanOut{
		Bucket: "etl-dataloader-workbucket-1x2y3z4a5b6c7", Manifest: object("manifest.jsonl"), ResultsPrefix: importID + "/g1/results",
		Chunks: s.chunks, Records: int64(s.chunks) * 100_000, Enrichment: []phase.ToEnrich{},
	}
	for n := range s.sources {
		out.Enrichment = append(out.Enrichment, phase.ToEnrich{
			Source: fmt.Sprintf("source_%d", n), Chunks: s.chunks / 10, Manifest: object("enrichment-source.jsonl"), Concurrency: 4,
		})
	}
	for _, f := range in.Scanned {
		out.Resources = append(out.Resources, f.Resource)
	}
	out.Targets = append(append(out.Targets, out.Resources...), "events")
	return out
}

func (s *sample) summary() event.Summary {
	sum := event.Summary{Events: 99_000, Enriched: 98_000, NotEnriched: 1_000}
	sum.FirstEvent, sum.LastEvent = uuid.MustParse("019267d0-5a3b-7cde-8f01-23456789abcd"), uuid.MustParse("019267d0-5a3c-7cde-8f01-23456789abcd")
	if err := sum.Checksum.UnmarshalText([]byte("-184467440737095516160000")); err != nil {
		panic(err)
	}
	return sum
}

func (s *sample) crossChecked() phase.CrossChecked {
	var out phase.CrossChecked
	for _, r := range s.pkg.Resources {
		out.Files = append(out.Files, phase.FileCounts{Resource: r.Name, File: s.file(r).File, Read: 10_000_000, Valid: 9_900_000, Rejected: 100_000, CrossRejected: 50_000})
	}
	return out
}

func (s *sample) published() phase.Published {
	out := phase.Published{Tables: map[string]phase.TableChange{}, Events: 99_000_000}
	for _, r := range s.pkg.Resources {
		out.Tables[r.Name] = phase.TableChange{Written: 9_900_000, Kept: 10_000}
	}
	return out
}

// enrich returns the next of the results that the sample has.
func (s *sample) enrich(in phase.EnrichIn) phase.Enriched {
	out := phase.Enriched{Done: true}
	if len(s.enriched) > 0 {
		out, s.enriched = s.enriched[0], s.enriched[1:]
	}
	out.Resource, out.Chunk, out.Runs = in.Chunk.Resource, in.Chunk.Range.Index, in.Progress.Runs+1
	out.Answers = answers.Counts{Records: 99_000, Enriched: 98_000, NotEnriched: 1_000}
	return out
}

// work decodes a Task's input as its function does, but strictly, and returns
// what the function returns.
func work[In, Out any](input []byte, out func(In) Out) (any, error) {
	var in In
	if err := strict(input, &in); err != nil {
		return nil, err
	}
	return out(in), nil
}

// perform runs the Task of a state.
func (s *sample) perform(name string, input []byte) (any, error) {
	switch name {
	case "Open":
		return work(input, func(phase.OpenIn) phase.OpenOut { return s.open() })
	case "ScanFile":
		return work(input, s.scan)
	case "Plan":
		return work(input, s.plan)
	case "Protect":
		return work(input, func(in phase.ChunkIn) phase.Protected {
			return phase.Protected{Object: object("staged/" + in.Chunk.Resource + "/000012.copy"), Read: in.Chunk.Range.Records, Malformed: 3}
		})
	case "Stage":
		return work(input, func(in phase.StageIn) phase.Staged { return phase.Staged{Rows: in.Protected.Read} })
	case "Validate":
		return work(input, func(in phase.StageIn) phase.Validated {
			return phase.Validated{Resource: in.Chunk.Resource, Chunk: in.Chunk.Range.Index, Read: 100_000, Valid: 99_000, Rejected: 1_000, Errors: 1_200}
		})
	case "IndexStagingResource", "IndexTarget":
		return work(input, func(in phase.IndexIn) phase.IndexOut { return phase.IndexOut{Resource: in.Resource} })
	case "CrossCheck":
		return work(input, func(phase.ImportIn) phase.CrossChecked { return s.crossChecked() })
	case "EnrichChunk":
		return work(input, s.enrich)
	case "Transform":
		return work(input, func(in phase.ChunkIn) phase.Transformed {
			return phase.Transformed{
				Events: object("events/" + in.Chunk.Resource + "/000012.copy"), Targets: object("targets/" + in.Chunk.Resource + "/000012.copy"), Summary: s.summary(),
			}
		})
	case "Prepare":
		return work(input, func(in phase.PrepareIn) phase.Prepared {
			return phase.Prepared{Resource: in.Chunk.Resource, Chunk: in.Chunk.Range.Index, Summary: in.Transformed.Summary}
		})
	case "Reconcile":
		return work(input, func(phase.ImportIn) phase.Reconciled {
			return phase.Reconciled{Events: map[string]int64{"clients": 99_000}}
		})
	case "Publish":
		return work(input, func(phase.ImportIn) phase.Published { return s.published() })
	default:
		return nil, fmt.Errorf("no function is known to this test")
	}
}

// walked runs the machine over a sample; task is told every Task's input, and
// see every payload.
func walked(t *testing.T, s *sample, task func(st *state, input []byte), see func(name, what string, payload []byte)) {
	t.Helper()
	w := &walk{
		t: t, see: see,
		items: func(string) []any { return []any{value(t, text(t, s.chunk(s.pkg.Resource("clients"), 12)))} },
		perform: func(name string, st *state, input []byte) any {
			task(st, input)
			out, err := s.perform(name, input)
			if err != nil {
				t.Fatalf("%s: its function would be given %s\n%v", name, input, err)
			}
			return out
		},
	}
	input := value(t, []byte(`{"import_id":"`+importID+`","generation":1,"mode":"daily","file_date":"2024-10-08"}`))
	context := map[string]any{"Execution": map[string]any{"Id": execution, "RedriveCount": json.Number("0")}}
	w.run(load(t), input, context)
}

// TestInputs: each state passes exactly the members that its function decodes.
func TestInputs(t *testing.T) {
	seen := map[string]bool{}
	walked(t, newSample(t, 10_000), func(s *state, _ []byte) { seen[s.Resource] = true }, func(string, string, []byte) {})
	if len(seen) != 13 {
		t.Errorf("%d functions were called, want 13: %v", len(seen), seen)
	}
}

// TestSizes: with 10,000 chunks no payload comes near 256 KiB, the quota of
// Step Functions for the input and output of a state, a Task and an execution.
func TestSizes(t *testing.T) {
	const limit = 64 << 10
	biggest, where := 0, ""
	see := func(name, what string, payload []byte) {
		if len(payload) > limit {
			t.Errorf("%s: its %s has %d bytes, more than %d", name, what, len(payload), limit)
		}
		if len(payload) > biggest {
			biggest, where = len(payload), name+" "+what
		}
	}
	walked(t, newSample(t, 10_000), func(*state, []byte) {}, see)
	t.Logf("the biggest payload is the %s: %d bytes", where, biggest)
}

// TestItemSize: the input of a child, an item of the manifest and the import.
func TestItemSize(t *testing.T) {
	const limit = 8 << 10
	s := newSample(t, 10_000)
	for _, r := range s.pkg.Resources {
		in := phase.ChunkIn{Import: s.imp, Chunk: s.chunk(r, 9_999), Attempt: 12}
		if n := len(text(t, in)); n > limit {
			t.Errorf("a chunk of %s is an input of %d bytes, more than %d", r.Name, n, limit)
		}
	}
}

// function is the folder of a Task's function: "OpenFunctionArn" is functions/open. A
// replay is an alias of functions/enrich.
func function(s *state) string {
	if s.Resource == "${ReplayFunctionArn}" {
		return "enrich"
	}
	return strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(s.Resource, "${"), "FunctionArn}"))
}
