package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// proofOptions are the flags of `bench proof`.
type proofOptions struct {
	rows, paidSales, otherRows int64
	faults                     float64
	folder                     string
	keep                       bool
}

// errDiffers reports an import that is not what the oracle says.
var errDiffers = errors.New("the import is not what the oracle says")

// proof holds two large imports, each in a new stack, against the oracle: one of
// ten files with planted faults, and one with a file of clients of which three
// records in ten are bad. It fails if a reject is missing or too many, in the
// database or in the central log, or if a line of a file is not accounted for.
func proof(ctx context.Context, arguments []string) (err error) {
	var o proofOptions
	flags := flag.NewFlagSet("bench proof", flag.ContinueOnError)
	flags.Int64Var(&o.rows, "rows", 1_000_000, "clients; there are three sales for each")
	flags.Int64Var(&o.paidSales, "paid-sales", 100_000, "sales that may have payments and returns")
	flags.Int64Var(&o.otherRows, "other-rows", 10_000, "clients to whom the files beside the bad one refer")
	flags.Float64Var(&o.faults, "faults", 0.01, "share of the planted faults")
	flags.StringVar(&o.folder, "dir", ".local/bench", "where the stack and the files are; forgotten before and after")
	flags.BoolVar(&o.keep, "keep", false, "stop the last stack at the end, but keep its data")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	files := filepath.Join(o.folder, "files")
	defer func() { err = errors.Join(err, os.RemoveAll(files)) }()
	planted := func() (string, error) { return o.planted(ctx, filepath.Join(files, "planted")) }
	bad := func() (string, error) { return o.bad(ctx, filepath.Join(files, "bad")) }
	return errors.Join(
		o.prove(ctx, fmt.Sprintf("ten files, %g%% planted faults", 100*o.faults), planted, false),
		o.prove(ctx, "a file of clients of which 30% are bad", bad, o.keep))
}

// planted makes the ten files with planted faults, slips of every kind among them,
// and returns their folder.
func (o proofOptions) planted(ctx context.Context, folder string) (string, error) {
	err := history(folder).Make(ctx, "-rows", strconv.FormatInt(o.rows, 10), "-paid-sales", strconv.FormatInt(o.paidSales, 10),
		"-faults", strconv.FormatFloat(o.faults, 'f', -1, 64))
	if err != nil {
		return "", err
	}
	return folder, everySlip(filepath.Join(folder, plantedFile))
}

// bad makes ten files without faults, then a large file of clients that is spoiled.
func (o proofOptions) bad(ctx context.Context, folder string) (string, error) {
	if err := history(folder).Make(ctx, "-rows", strconv.FormatInt(min(o.rows, o.otherRows), 10)); err != nil {
		return "", err
	}
	sound := filepath.Join(folder, "sound")
	if err := history(sound).Make(ctx, "-rows", strconv.FormatInt(o.rows, 10), "-only", "client_data"); err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(sound, "client_data_*.csv"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("%d files of clients in %s, %w", len(found), sound, err)
	}
	_ = os.Remove(filepath.Join(folder, plantedFile)) // nothing is planted, but much is spoiled
	count, err := spoilFile(found[0], filepath.Join(folder, filepath.Base(found[0])))
	if err != nil {
		return "", err
	}
	counts, err := linesOf(folder)
	if err != nil {
		return "", err
	}
	counts[filepath.Base(found[0])] = count
	text, err := json.Marshal(counts)
	if err != nil {
		return "", err
	}
	return folder, os.WriteFile(filepath.Join(folder, linesFile), text, 0o600)
}

// prove imports the files that made makes, in a new stack, and compares.
func (o proofOptions) prove(ctx context.Context, title string, made func() (string, error), keep bool) error {
	fmt.Printf("\nProof: %s\n", title)
	return onStack(ctx, o.folder, "", keep, func(_ *stack.Stack, c *cloud, d *database) error { return importAndCompare(ctx, c, d, made) })
}

func importAndCompare(ctx context.Context, c *cloud, d *database, made func() (string, error)) error {
	folder, err := made()
	if err != nil {
		return err
	}
	imp, err := importFolder(ctx, c, folder)
	if err != nil {
		return err
	}
	began := time.Now()
	v, err := judge(ctx, folder)
	if err != nil {
		return err
	}
	fmt.Printf("The oracle judged the files in %.0f s\n", time.Since(began).Seconds())
	return compare(ctx, c, d, imp, v, folder)
}

// history is the set of the initial import in a folder.
func history(folder string) stack.Set {
	return stack.Set{Mode: string(etl.ModeInitial), Date: historyDate, Folder: folder}
}

// importFolder imports ten files in initial mode and waits for its end.
func importFolder(ctx context.Context, c *cloud, folder string) (registry.Import, error) {
	files := history(folder)
	size, err := files.Size()
	if err != nil {
		return registry.Import{}, err
	}
	if err := c.UploadAll(ctx, files); err != nil {
		return registry.Import{}, err
	}
	imp, err := c.await(ctx, files, importLimit)
	if err != nil {
		return imp, err
	}
	e, err := c.execution(ctx, imp.ExecutionARN)
	if err != nil {
		return imp, err
	}
	fmt.Printf("Import %s: «%s» in %.1f s, %.0f MiB; load average %s\n", imp.ImportID, imp.Status, e.seconds(), mib(size), load())
	return imp, nil
}

// judgement is what the oracle says of a folder, by resource.
type judgement struct {
	Files map[string]struct {
		File, Fault           string
		Read, Valid, Rejected int64
		Rejects               []struct {
			Line   int64
			Errors [][2]string // field, rule
		}
	}
}

// judge runs the oracle. It reads the files by itself and shares no code with the
// product.
func judge(ctx context.Context, folder string) (v judgement, err error) {
	cmd := exec.CommandContext(ctx, "python3", "infra/proof/oracle/oracle.py", folder) //nolint:gosec // our own words
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return v, err
	}
	if err := cmd.Start(); err != nil {
		return v, fmt.Errorf("oracle: %w", err)
	}
	err = json.NewDecoder(out).Decode(&v)
	if err = errors.Join(err, cmd.Wait()); err != nil {
		return v, fmt.Errorf("oracle: %w", err)
	}
	return v, nil
}
