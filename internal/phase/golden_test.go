package phase_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"etl-dataloader/internal/answers"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/record"
	"etl-dataloader/internal/registry"
)

var update = flag.Bool("update", false, "rewrite testdata/*.json")

// TestGolden keeps the JSON of every input and output: executions that are
// redriven after a deployment still carry what the version before wrote, so a
// member may be added, never renamed.
func TestGolden(t *testing.T) {
	t.Parallel()
	imp := phase.Import{ImportID: "IMPORT_20241009_150000_001", Generation: 2, Mode: etl.ModeDaily, FileDate: "2024-10-08", KeyID: 7, WrappedKey: []byte{1, 2, 3}}
	object := objectstore.Object{Key: "k/000003.copy", VersionID: "v", Checksum: "abc", Bytes: 42}
	file := phase.File{Resource: "clients", File: "client_data_20241008.csv", Key: "daily/client_data_20241008.csv", VersionID: "v1", Bytes: 1000, Format: "csv"}
	control := phase.File{Resource: "control", File: "control_20241008.json", Key: "daily/control_20241008.json", VersionID: "v2", Bytes: 2000, Format: "json"}
	chunk := phase.Chunk{File: file, Header: []string{"nif", "client_id"}, Range: record.Chunk{Index: 3, Start: 10, End: 500, FirstLine: 12, Records: 30}, NextLine: 44}
	in := phase.ChunkIn{Import: imp, Chunk: chunk, Attempt: 1}
	summary := event.Summary{Events: 28, Enriched: 27, NotEnriched: 1, FirstEvent: uuid.MustParse("019267d0-5a3b-7cde-8f01-23456789abcd"), LastEvent: uuid.MustParse("019267d0-5a3c-7cde-8f01-23456789abcd")}
	if err := summary.Checksum.UnmarshalText([]byte("-18446744073709551617")); err != nil {
		t.Fatal(err)
	}
	protected := phase.Protected{Object: object, Read: 30, Malformed: 1}
	transformed := phase.Transformed{Events: object, Targets: object, Summary: summary}
	scanned := phase.ScanOut{Resource: "clients", File: file.File, Bytes: 1000, Records: 90, Chunks: 3, Object: object}
	replayed := phase.Replayed{WaitSeconds: 30, Runs: 2, Resources: map[string]phase.Paused{
		"clients": {Waits: 1, Until: time.Date(2024, 10, 9, 15, 0, 30, 0, time.UTC), Silent: phase.Silent{Waits: 1, Seconds: 30}}, "produits": {Done: true},
	}}
	for name, v := range map[string]any{
		"open_in":       phase.OpenIn{Import: phase.Import{ImportID: imp.ImportID, Generation: 2, Mode: etl.ModeDaily, FileDate: "2024-10-08"}, ExecutionARN: "arn", Attempt: 1},
		"open_control":  phase.OpenOut{Import: imp, Files: []phase.File{file}, Control: &control},
		"open_out":      phase.OpenOut{Import: imp, Files: []phase.File{file}, Settings: phase.Settings{ScanConcurrency: 4, ChunkConcurrency: 3, IndexConcurrency: 2}},
		"scan_in":       phase.ScanIn{Import: imp, File: file, Attempt: 1},
		"scan_out":      scanned,
		"scan_refused":  phase.ScanOut{Resource: "clients", File: file.File, Bytes: 1000, Refused: "le fichier est vide"},
		"scan_hashed":   phase.ScanOut{Resource: "clients", File: file.File, Bytes: 1000, Records: 90, Chunks: 3, Object: object, SHA256: "e3b0"},
		"plan_in":       phase.PlanIn{Import: imp, Scanned: []phase.ScanOut{scanned}, Attempt: 1},
		"plan_out":      phase.PlanOut{Bucket: "b", Manifest: object, ResultsPrefix: "p", Resources: []string{"clients"}, Targets: []string{"clients", "events"}, Chunks: 3, Records: 90, Enrichment: []phase.ToEnrich{{Source: "clients", Chunks: 3, Manifest: object, Concurrency: 2}}},
		"manifest_item": chunk,
		"chunk_in":      in,
		"protected":     protected,
		"stage_in":      phase.StageIn{ChunkIn: in, Protected: protected},
		"staged":        phase.Staged{Rows: 30},
		"validated":     phase.Validated{Resource: "clients", Chunk: 3, Read: 30, Valid: 28, Rejected: 2, Errors: 3},
		"index_in":      phase.IndexIn{Import: imp, Resource: "clients", Kind: "staging", Attempt: 1},
		"index_out":     phase.IndexOut{Resource: "clients"},
		"import_in":     phase.ImportIn{Import: imp, Attempt: 1},
		"cross_checked": phase.CrossChecked{Files: []phase.FileCounts{{Resource: "clients", File: file.File, Read: 30, Valid: 26, Rejected: 4, CrossRejected: 2, CrossErrors: 3}}},
		"enriched":      phase.Enriched{Resource: "clients", Chunk: 3, Answers: answers.Counts{Records: 28, Enriched: 27, NotEnriched: 1}},
		"transformed":   transformed,
		"prepare_in":    phase.PrepareIn{ChunkIn: in, Transformed: transformed},
		"prepared":      phase.Prepared{Resource: "clients", Chunk: 3, Summary: summary},
		"replay_in":     phase.ReplayIn{Import: phase.Import{ImportID: imp.ImportID, Generation: 2, Mode: etl.ModeDaily, FileDate: "2024-10-08"}, Replay: 3, Source: "clients", Attempt: 1, Progress: replayed},
		"replayed":      replayed,
		"replay_unit":   phase.Counted{Until: summary.LastEvent, Asked: registry.Asked{Source: "clients", Replay: 3, Asked: 9, Answered: 6, NotFound: 1, Failed: map[string]int64{"timeout": 2}, Skipped: 4, Resolved: 7, Calls: 2}},
		"reconciled":    phase.Reconciled{Events: map[string]int64{"clients": 26, "ventes": 3}, NotEnriched: map[string]map[string]int64{"clients": {"timeout": 2}}},
		"published":     phase.Published{Tables: map[string]phase.TableChange{"clients": {Written: 26, Kept: 1}, "produits": {Skipped: true}}, Events: 29, NotEnriched: map[string]map[string]int64{"clients": {"timeout": 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := json.MarshalIndent(v, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(append(got, '\n'), want) {
				t.Errorf("%s differs; rerun with -update and read the difference\n%s", path, got)
			}
		})
	}
}
