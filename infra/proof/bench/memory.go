package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/jackc/pgx/v5"

	"etl-dataloader/infra/proof/stack"
)

// What `bench memory` asserts of the functions that work on a file.
const (
	peakLimit = 256 << 20 // bytes of resident memory, at any time
	// sameWithin is how much the peaks over a small and a big file may differ: what
	// two runs over the same file differ by, as the garbage collector's timing does.
	sameWithin = 24 << 20
)

// clientBytes is the mean size of a generated client's record.
const clientBytes = 155.0

// measuredPhases are the functions whose memory must not depend on the file.
func measuredPhases() []string {
	return []string{"Scan", "Protect", "Stage", "Validate", "Enrich", "Transform", "Prepare"}
}

// memoryOptions are the flags of `bench memory`.
type memoryOptions struct {
	sizes  string
	folder string
	keep   bool
}

// memory runs every phase over files of several sizes, each in new processes, and
// fails unless the peak memory of each stays under peakLimit and is the same for all.
func memory(ctx context.Context, arguments []string) error {
	var o memoryOptions
	flags := flag.NewFlagSet("bench memory", flag.ContinueOnError)
	flags.StringVar(&o.sizes, "gb", "1,4", "sizes of the files in GB (10^9 bytes), separated by commas")
	flags.StringVar(&o.folder, "dir", ".local/bench", "where the stack and the files are; forgotten before and after")
	flags.BoolVar(&o.keep, "keep", false, "stop the stack at the end, but keep its data")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	var runs []memoryRun
	for text := range strings.SplitSeq(o.sizes, ",") {
		size, err := strconv.ParseFloat(text, 64)
		if err != nil || size <= 0 {
			return fmt.Errorf("-gb %q: a list of sizes above 0", o.sizes)
		}
		r, err := o.run(ctx, size)
		if err != nil {
			return err
		}
		runs = append(runs, r)
		r.print()
	}
	return verdict(runs)
}

// memoryRun is what one file took.
type memoryRun struct {
	bytes   int64
	records int64
	chunks  int
	took    map[string][]float64 // seconds of each call, by phase
	peaks   map[string]int64
}

// run measures a file of a size, on a new stack.
func (o memoryOptions) run(ctx context.Context, size float64) (r memoryRun, err error) {
	files := filepath.Join(o.folder, "files")
	defer func() { err = errors.Join(err, os.RemoveAll(files)) }()
	err = onStack(ctx, o.folder, "", o.keep, func(s *stack.Stack, c *cloud, d *database) (err error) {
		r, err = measureFile(ctx, s, c, d, size, files)
		return err
	})
	return r, err
}

func measureFile(ctx context.Context, s *stack.Stack, c *cloud, d *database, size float64, files string) (r memoryRun, err error) {
	if err := c.endAfterPlan(ctx); err != nil {
		return r, err
	}
	rows := strconv.FormatInt(int64(size*1e9/clientBytes), 10)
	set := history(files)
	if err := errors.Join(set.Make(ctx, "-rows", "1000"), set.Make(ctx, "-rows", rows, "-only", "client_data")); err != nil {
		return r, err
	}
	if err := c.UploadAll(ctx, set); err != nil {
		return r, err
	}
	clients, err := set.File("client_data")
	if err != nil {
		return r, err
	}
	info, err := os.Stat(set.Path(clients))
	if err != nil {
		return r, err
	}
	r.bytes, r.took = info.Size(), map[string][]float64{}
	if err := os.RemoveAll(files); err != nil { // the emulator has its own
		return r, err
	}
	m := startMeter(ctx, s)
	err = r.phases(ctx, c, d, set)
	m.stop()
	r.peaks = m.peaks()
	return r, err
}

// endAfterPlan lets the deployed state machine end once the chunks are planned.
func (c *cloud) endAfterPlan(ctx context.Context) error {
	described, err := c.SFN.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: c.machine()})
	if err != nil {
		return err
	}
	var definition map[string]any
	if err := json.Unmarshal([]byte(aws.ToString(described.Definition)), &definition); err != nil {
		return fmt.Errorf("definition: %w", err)
	}
	states, _ := definition["States"].(map[string]any)
	plan, ok := states["Plan"].(map[string]any)
	if !ok {
		return errors.New("the definition has no state Plan")
	}
	delete(plan, "Next")
	plan["End"] = true
	definition["States"] = map[string]any{"Open": states["Open"], "Scan": states["Scan"], "Plan": plan}
	text, err := json.Marshal(definition)
	if err != nil {
		return err
	}
	_, err = c.SFN.UpdateStateMachine(ctx, &sfn.UpdateStateMachineInput{StateMachineArn: c.machine(), Definition: aws.String(string(text))})
	return err
}

// phases waits for the plan, then works the chunks of clients off, one by one,
// with the inputs that the state machine sends.
func (r *memoryRun) phases(ctx context.Context, c *cloud, d *database, of stack.Set) error {
	imp, err := c.await(ctx, of, importLimit)
	if err != nil {
		return err
	}
	e, err := c.execution(ctx, imp.ExecutionARN)
	if err != nil {
		return err
	}
	r.took["Scan"] = append(r.took["Scan"], e.find("Scan").seconds())
	var planned struct {
		Import json.RawMessage `json:"import"`
		Plan   struct {
			Manifest struct {
				Key       string `json:"key"`
				VersionID string `json:"version_id"`
			} `json:"manifest"`
		} `json:"plan"`
	}
	if err := json.Unmarshal([]byte(e.outputs["Plan"]), &planned); err != nil {
		return fmt.Errorf("output of Plan: %w", err)
	}
	manifest, err := c.S3.GetObject(ctx, &s3.GetObjectInput{
		Bucket: c.bucket(), Key: &planned.Plan.Manifest.Key, VersionId: &planned.Plan.Manifest.VersionID,
	})
	if err != nil {
		return err
	}
	defer func() { _ = manifest.Body.Close() }()
	lines := json.NewDecoder(manifest.Body)
	for {
		var chunk json.RawMessage
		if err := lines.Decode(&chunk); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("manifest: %w", err)
		}
		var item struct {
			Resource string `json:"resource"`
			Range    struct {
				Records int64 `json:"records"`
			} `json:"range"`
		}
		if err := json.Unmarshal(chunk, &item); err != nil {
			return fmt.Errorf("manifest: %w", err)
		}
		if item.Resource != "clients" {
			continue
		}
		r.chunks, r.records = r.chunks+1, r.records+item.Range.Records
		if err := r.chunk(ctx, c, planned.Import, chunk); err != nil {
			return err
		}
		if err := forget(ctx, c, d, imp.ImportID); err != nil {
			return err
		}
	}
}

// chunk runs the phases over one chunk.
func (r *memoryRun) chunk(ctx context.Context, c *cloud, imp, chunk json.RawMessage) error {
	input := map[string]any{"import": imp, "chunk": chunk, "attempt": 0}
	for _, step := range []struct{ phase, result string }{
		{"Protect", "protected"}, {"Stage", ""}, {"Validate", ""}, {"Enrich", ""}, {"Transform", "transformed"}, {"Prepare", ""},
	} {
		began := time.Now()
		answer, err := c.Invoke(ctx, step.phase+"Function", input, once)
		if err != nil {
			return fmt.Errorf("%s: %w", step.phase, err)
		}
		r.took[step.phase] = append(r.took[step.phase], time.Since(began).Seconds())
		if step.result != "" {
			input[step.result] = answer
		}
	}
	return nil
}

// once lets a call last as long as a function may, and a call that failed be an
// error of the benchmark.
func once(o *lambda.Options) {
	o.RetryMaxAttempts, o.HTTPClient = 1, &http.Client{Timeout: 15 * time.Minute}
}

// forget drops what a chunk left behind, so that the disk need not hold a whole
// import: its rows, and the versions of its work objects.
func forget(ctx context.Context, c *cloud, d *database, importID string) error {
	rows, err := d.conn.Query(ctx, `SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = 'partitions' AND c.relkind = 'r'`)
	if err != nil {
		return err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	if _, err := d.conn.Exec(ctx, `TRUNCATE `+strings.Join(tables, ", ")); err != nil {
		return err
	}
	listed, err := c.S3.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: c.bucket(), Prefix: aws.String(importID + "/g1/")})
	if err != nil {
		return err
	}
	for _, v := range listed.Versions {
		if !strings.HasSuffix(aws.ToString(v.Key), ".copy") {
			continue // the plan
		}
		if _, err := c.S3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: c.bucket(), Key: v.Key, VersionId: v.VersionId}); err != nil {
			return err
		}
	}
	return nil
}

// print prints what a file took.
func (r memoryRun) print() {
	fmt.Printf("\nA file of %.2f GB: %s records in %d chunks; load average %s\n", float64(r.bytes)/1e9, grouped(r.records), r.chunks, load())
	w := table()
	row(w, "phase", "calls", "median s", "longest s", "records/s", "peak RSS MiB")
	for _, phase := range measuredPhases() {
		sum, longest := 0.0, 0.0
		for _, s := range r.took[phase] {
			sum, longest = sum+s, max(longest, s)
		}
		if len(r.took[phase]) > 0 {
			row(w, phase, len(r.took[phase]), median(r.took[phase]), longest, int64(float64(r.records)/sum), fmt.Sprintf("%.0f", mib(r.peaks[phase])))
		}
	}
	_ = w.Flush()
}

// verdict compares the runs.
func verdict(runs []memoryRun) error {
	var problems []error
	for _, phase := range measuredPhases() {
		least, most := runs[0].peaks[phase], int64(0)
		for _, r := range runs {
			least, most = min(least, r.peaks[phase]), max(most, r.peaks[phase])
		}
		if most > peakLimit {
			problems = append(problems, fmt.Errorf("%s: peak RSS of %.0f MiB, over %.0f", phase, mib(most), mib(peakLimit)))
		}
		if least == 0 {
			problems = append(problems, fmt.Errorf("%s: its process was not seen", phase))
		} else if most-least > sameWithin {
			problems = append(problems, fmt.Errorf("%s: peak RSS from %.0f to %.0f MiB, which differ by more than %.0f", phase, mib(least), mib(most), mib(sameWithin)))
		}
	}
	if problems == nil {
		fmt.Printf("\nmemory: every peak is under %.0f MiB, and the same for every file within %.0f MiB\n", mib(peakLimit), mib(sameWithin))
	}
	return errors.Join(problems...)
}
