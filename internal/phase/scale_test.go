package phase_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/record"
)

// Quotas of AWS (Step Functions Developer Guide, "Quotas"; Lambda Developer
// Guide, "Lambda quotas"; Amazon S3 User Guide, "Multipart upload limits"; KMS
// Developer Guide, "Request quotas").
const (
	payloadQuota    = 256 << 10        // bytes of a state's or a task's input or output
	historyQuota    = 25_000           // events of an execution
	itemsFileQuota  = 10 << 30         // bytes of the file that a Distributed Map reads
	itemsQuota      = 100_000_000      // items of a Distributed Map
	parallelQuota   = 10_000           // child executions of a Map Run at a time
	childrenASecond = 100              // Standard child executions that a Map Run starts in a second
	functionQuota   = 15 * time.Minute // run time of a Lambda function
	partsQuota      = 10_000           // parts of an S3 object
	kmsASecond      = 10_000           // KMS requests of an account, in the smallest Regions
	inlineQuota     = 40               // iterations of an inline Map at a time
)

// The sizes that must work (requirements, R9.2).
const (
	largestFile = 10 << 30    // bytes in one file
	mostRecords = 100_000_000 // in one import
)

// Times on the smallest machine that was measured, while it was busy with other
// work: two cores for the functions, PostgreSQL and the emulator together
// (docs/performance.md). They are rounded up.
const (
	scanSecondsAGB   = 25.0 // `make bench-memory`: Scan of one file
	chunkSeconds     = 45.0 // `make bench-memory`: the longest phase over one chunk of 32 MiB
	crossSecondsAM   = 4.5  // `make bench`: CrossCheck of a million records, all resources in one task
	indexSecondsAM   = 5.0  // `make bench`: the events' key, four fifths of IndexTargets, of a million records
	proveSecondsAM   = 5.5  // `make bench`: Reconcile of a million records
	publishSecondsAM = 2.5  // `make bench`: Publish of a million records
)

// sorting is how much longer a set-based task takes for a record at mostRecords
// than at the four million that were measured.
func sorting() float64 { return math.Log2(mostRecords) / math.Log2(4e6) }

// parameter reads a default of the stack's template.
func parameter(t *testing.T, name string) int64 {
	t.Helper()
	text, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`(?m)^  ` + name + `:\n    Type: Number\n    Default: (\d+)`).FindSubmatch(text)
	if match == nil {
		t.Fatalf("template.yaml has no number %s", name)
	}
	value, err := strconv.ParseInt(string(match[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// machineState is what a state of the machine costs.
type machineState struct {
	Type           string
	TimeoutSeconds int64
	Retry          []struct{ MaxAttempts int64 }
	ItemProcessor  *struct {
		ProcessorConfig struct{ Mode string }
		States          map[string]machineState
	}
}

// definition reads the states of the machine.
func definition(t *testing.T) map[string]machineState {
	t.Helper()
	text, err := os.ReadFile("../../statemachine/import.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	var machine struct{ States map[string]machineState }
	if err := json.Unmarshal(text, &machine); err != nil {
		t.Fatal(err)
	}
	return machine.States
}

// Events of a task: entered, scheduled, started, succeeded, exited; each retry
// schedules, starts and fails once more.
const (
	taskEvents  = 5
	retryEvents = 3
)

// events counts the history events of a state, if every task is retried as often
// as it may be; items is how many iterations an inline Map has.
func (s machineState) events(items int64) int64 {
	switch {
	case s.Type == "Task":
		n := int64(taskEvents)
		for _, r := range s.Retry {
			n += retryEvents * r.MaxAttempts
		}
		return n
	case s.Type == "Choice":
		return 2 // entered, exited
	case s.ItemProcessor.ProcessorConfig.Mode == "DISTRIBUTED":
		return 6 // entered, started, run started, run succeeded, succeeded, exited
	default:
		n := int64(4)    // entered, started, succeeded, exited
		each := int64(2) // iteration started, succeeded
		for _, inner := range s.ItemProcessor.States {
			each += inner.events(0)
		}
		return n + items*each
	}
}

// below fails unless a figure is at most a share of its quota, and logs both.
func below(t *testing.T, what string, figure, quota, share float64) {
	t.Helper()
	t.Logf("%-62s %14.0f of %14.0f (%.1f%%)", what, figure, quota, 100*figure/quota)
	if figure > quota*share {
		t.Errorf("%s: %.0f is more than %.0f%% of the quota %.0f", what, figure, 100*share, quota)
	}
}

// size is how many bytes a value has as JSON.
func size(t *testing.T, value any) float64 {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return float64(len(text))
}

// widest are structs of the machine's payloads with every member as long as the
// services allow: an object key and a version id of 1,024 bytes, a wrapped key of
// 6,144 (KMS API Reference, CiphertextType).
type widest struct {
	imp    phase.Import
	file   phase.File
	object objectstore.Object
	chunk  phase.Chunk
}

func newWidest(r *contract.Resource) widest {
	const longName = 1024
	w := widest{
		imp: phase.Import{
			ImportID: "IMPORT_20241009_150000_001", Generation: math.MaxInt32, Mode: etl.ModeInitial, FileDate: "2024-10-08",
			KeyID: math.MaxUint32, WrappedKey: make([]byte, 6144),
		},
		object: objectstore.Object{
			Key: strings.Repeat("k", longName), VersionID: strings.Repeat("v", longName), Checksum: strings.Repeat("f", 12), Bytes: math.MaxInt64,
		},
	}
	w.file = phase.File{
		Resource: r.Name, File: r.FileType + "_20241008.jsonl", Key: w.object.Key, VersionID: w.object.VersionID, Bytes: largestFile, Format: "jsonl",
	}
	w.chunk = phase.Chunk{
		File: w.file, NextLine: math.MaxInt64,
		Range: record.Chunk{
			Index: math.MaxInt32, Start: math.MaxInt64, End: math.MaxInt64, FirstLine: math.MaxInt64, Records: math.MaxInt64, Last: true,
		},
	}
	for _, f := range r.Fields {
		w.chunk.Header = append(w.chunk.Header, f.Name)
	}
	return w
}

// scaleContract loads the delivered contract.
func scaleContract(t *testing.T) *contract.Package {
	t.Helper()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

// TestScalePayloads: no payload depends on the size of a file, and each is far
// below 256 KiB even if every name in it is as long as AWS allows.
func TestScalePayloads(t *testing.T) {
	t.Parallel()
	const share = 0.5
	pkg := scaleContract(t)
	open := phase.OpenOut{Settings: phase.Settings{ScanConcurrency: 40, ChunkConcurrency: 10_000, IndexConcurrency: 40}}
	var scanned []phase.ScanOut
	plan := phase.PlanOut{Bucket: strings.Repeat("b", 63), ResultsPrefix: strings.Repeat("p", 1024), Chunks: math.MaxInt32, Records: math.MaxInt64}
	checksum := event.Summary{
		Events: math.MaxInt64, Enriched: math.MaxInt64, NotEnriched: math.MaxInt64, FirstEvent: uuid.Max, LastEvent: uuid.Max,
	}
	for _, r := range pkg.Resources {
		w := newWidest(r)
		open.Import, plan.Manifest = w.imp, w.object
		plan.Enrichment = append(plan.Enrichment, phase.ToEnrich{
			Source: r.Name, Chunks: math.MaxInt32, Manifest: w.object, Concurrency: math.MaxInt32,
		})
		open.Files = append(open.Files, w.file)
		scanned = append(scanned, phase.ScanOut{Resource: r.Name, Records: math.MaxInt64, Chunks: math.MaxInt32, Object: w.object})
		plan.Resources, plan.Targets = append(plan.Resources, r.Name), append(plan.Targets, r.Name)

		in := phase.ChunkIn{Import: w.imp, Chunk: w.chunk, Attempt: math.MaxInt32}
		protected := phase.Protected{Object: w.object, Read: math.MaxInt64, Malformed: math.MaxInt64}
		transformed := phase.Transformed{Events: w.object, Targets: w.object, Summary: checksum}
		child := size(t, in)
		below(t, r.Name+": input of a child execution", child, payloadQuota, share)
		below(t, r.Name+": state of a child of Raw", child+size(t, protected)+size(t, phase.Staged{Rows: math.MaxInt64}), payloadQuota, share)
		below(t, r.Name+": state of a child of Events", child+size(t, transformed), payloadQuota, share)
	}
	below(t, "state of the execution after Open", size(t, open), payloadQuota, share)
	below(t, "state of the execution after Plan", size(t, open)+size(t, scanned)+size(t, plan), payloadQuota, share)
}

// TestScaleChunks: what grows with the files stays below what a Map Run, a
// manifest and the task functions can take.
func TestScaleChunks(t *testing.T) {
	t.Parallel()
	const share = 0.5
	chunkBytes := float64(parameter(t, "ChunkBytes"))
	concurrency := float64(parameter(t, "MaxConcurrency"))
	if chunkBytes != record.DefaultChunkBytes {
		t.Errorf("the template's chunks have %.0f bytes, the reader's %d", chunkBytes, record.DefaultChunkBytes)
	}
	ofOneFile := math.Ceil(largestFile / chunkBytes)
	for _, r := range scaleContract(t).Resources {
		line := size(t, newWidest(r).chunk) + 1
		// A hundred million records at the record size of 1 KiB, three to six times
		// what the ten files have; and ten files of the largest size.
		all := max(math.Ceil(mostRecords*1024/chunkBytes), 10*ofOneFile)
		below(t, r.Name+": bytes of the manifest", all*line, itemsFileQuota, share)
		below(t, r.Name+": items of a Map Run", all, itemsQuota, share)
		below(t, r.Name+": seconds in which the children are started, in an hour", all/childrenASecond, 3600, share)
	}
	t.Logf("a file of 10 GiB has %.0f chunks", ofOneFile)
	below(t, "children at a time", concurrency, parallelQuota, share)
	// A work object is at most ten times its chunk: base64 of ciphertexts in JSON.
	below(t, "parts of a work object", 10*chunkBytes/(8<<20), partsQuota, share)
	// Protect calls KMS once for the data key, once for each of two token domains and
	// once for the check value, Validate and Enrich once; a chunk takes at least a
	// second.
	below(t, "KMS requests a second", 6*concurrency, kmsASecond, share)
}

// TestScaleHistory: the history of the execution does not depend on the number of
// chunks, and leaves room for redrives; nor does a child's.
func TestScaleHistory(t *testing.T) {
	t.Parallel()
	tables := int64(len(scaleContract(t).Resources)) + 1 // the events too
	parent := int64(2)
	for name, s := range definition(t) {
		parent += s.events(tables)
		if s.ItemProcessor == nil || s.ItemProcessor.ProcessorConfig.Mode != "DISTRIBUTED" {
			continue
		}
		child := int64(2)
		for _, inner := range s.ItemProcessor.States {
			child += inner.events(0)
		}
		below(t, "events of a child of "+name+", every task retried to the end", float64(child), historyQuota, 0.05)
	}
	below(t, "events of the execution, every task retried to the end", float64(parent), historyQuota, 0.1)
	below(t, "inline iterations", float64(tables), inlineQuota, 0.5)
}

// TestScaleTasks: the longest task of each kind, at measured rates, ends before
// its function's time is up; and the machine waits longer than the function.
func TestScaleTasks(t *testing.T) {
	t.Parallel()
	const share = 0.8
	const gigabyte, million = 1e9, 1e6
	quota := functionQuota.Seconds()
	for what, seconds := range map[string]float64{
		"Scan of a file of 10 GiB":               scanSecondsAGB * largestFile / gigabyte,
		"a phase over one chunk":                 chunkSeconds,
		"CrossCheck of 100 million records":      crossSecondsAM * sorting() * mostRecords / million,
		"the events' key of 100 million records": indexSecondsAM * sorting() * mostRecords / million,
		"Reconcile of 100 million records":       proveSecondsAM * mostRecords / million,
		"Publish of 100 million records":         publishSecondsAM * sorting() * mostRecords / million,
	} {
		below(t, what+", seconds", seconds, quota, share)
	}
	eachTask(definition(t), func(name string, s machineState) {
		if got := time.Duration(s.TimeoutSeconds) * time.Second; got <= functionQuota || got > functionQuota+2*time.Minute {
			t.Errorf("%s waits %s, want a little longer than %s", name, got, functionQuota)
		}
	})
}

// eachTask passes every task, also those inside Maps.
func eachTask(states map[string]machineState, each func(string, machineState)) {
	for name, s := range states {
		if s.Type == "Task" {
			each(name, s)
		} else if s.ItemProcessor != nil {
			eachTask(s.ItemProcessor.States, func(inner string, s machineState) { each(fmt.Sprintf("%s.%s", name, inner), s) })
		}
	}
}
