package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"etl-dataloader/internal/etl"
)

// Dates of the files: the history's, and the day after it.
const (
	historyDate = "2024-10-07"
	dayDate     = "2024-10-08"
)

// importLimit bounds the wait for an import.
const importLimit = 2 * time.Hour

// speedOptions are the flags of `bench speed`.
type speedOptions struct {
	rows, dailyRows, paidSales int64
	folder, parameters         string
	keep                       bool
}

// speed measures an initial import, a day after it, and the bare copy of the two
// big files. Its last line is the ratio of the import's time to the copy's.
func speed(ctx context.Context, arguments []string) (err error) {
	var o speedOptions
	flags := flag.NewFlagSet("bench speed", flag.ContinueOnError)
	flags.Int64Var(&o.rows, "rows", 1_000_000, "clients; there are three sales for each")
	flags.Int64Var(&o.paidSales, "paid-sales", 1000, "sales with payments and returns, so that these files are small")
	flags.Int64Var(&o.dailyRows, "daily-rows", 10_000, "records in each of the ten files of the day after; 0 for no such day")
	flags.StringVar(&o.folder, "dir", ".local/bench", "where the stack and the files are; forgotten before and after")
	flags.StringVar(&o.parameters, "parameters", "", "parameters of the template that differ from its defaults: \"Name=value Name=value\"")
	flags.BoolVar(&o.keep, "keep", false, "stop the stack at the end, but keep its data")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(filepath.Join(o.folder, "files"))) }()
	return onStack(ctx, o.folder, o.parameters, o.keep, func(s *stack, c *cloud, d *database) error { return o.measure(ctx, s, c, d) })
}

func (o speedOptions) measure(ctx context.Context, s *stack, c *cloud, d *database) (err error) {
	history := filepath.Join(o.folder, "files", "history")
	if err := sample(ctx, "-rows", strconv.FormatInt(o.rows, 10), "-paid-sales", strconv.FormatInt(o.paidSales, 10),
		"-date", historyDate, "-out", history); err != nil {
		return err
	}
	files, err := setOf(history)
	if err != nil {
		return err
	}
	available, err := availableMemory("/proc/meminfo")
	if err != nil {
		return err
	}
	forget, err := touchMemory(filepath.Join(o.folder, "files"), min(available/3*2, touchLimit))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, forget()) }()
	e, err := importHistory(ctx, s, c, d, files)
	if err != nil {
		return err
	}
	if o.dailyRows > 0 {
		if err := o.daily(ctx, c); err != nil {
			return err
		}
	}
	rounds, err := d.floor(ctx, []string{files.path("client_data"), files.path("sales_data")})
	if err != nil {
		return err
	}
	printRatio(rounds, e.seconds())
	return nil
}

// fileSet is the ten files of a date.
type fileSet struct {
	paths []string
	bytes int64
}

// setOf lists the files of a folder.
func setOf(folder string) (f fileSet, err error) {
	if f.paths, err = filepath.Glob(filepath.Join(folder, "*.csv")); err != nil {
		return f, err
	}
	for _, path := range f.paths {
		info, err := os.Stat(path)
		if err != nil {
			return f, err
		}
		f.bytes += info.Size()
	}
	if len(f.paths) != 10 {
		return f, fmt.Errorf("%d files in %s, want ten", len(f.paths), folder)
	}
	return f, nil
}

// path is the file of a type.
func (f fileSet) path(fileType string) string {
	for _, path := range f.paths {
		if match, err := filepath.Match(fileType+"_*.csv", filepath.Base(path)); err == nil && match {
			return path
		}
	}
	return ""
}

// importHistory imports the files in initial mode and prints what it took.
func importHistory(ctx context.Context, s *stack, c *cloud, d *database, files fileSet) (execution, error) {
	if err := d.quiet(ctx); err != nil {
		return execution{}, err
	}
	if err := c.record(ctx, true); err != nil {
		return execution{}, err
	}
	walBefore, err := d.position(ctx)
	if err != nil {
		return execution{}, err
	}
	loads := []string{load()}
	m := startMeter(ctx, s)
	began := time.Now()
	if err := c.putAll(ctx, etl.ModeInitial, files.paths); err != nil {
		return execution{}, err
	}
	uploaded := time.Now()
	imp, err := c.await(ctx, etl.ModeInitial, historyDate, importLimit)
	m.stop()
	loads = append(loads, load())
	if err != nil {
		return execution{}, err
	}
	walAfter, err := d.position(ctx)
	if err != nil {
		return execution{}, err
	}
	status, err := c.registry.Status(ctx, imp.ImportID)
	if err != nil {
		return execution{}, err
	}
	e, err := c.execution(ctx, imp.ExecutionARN)
	if err != nil {
		return execution{}, err
	}
	printImport(status, e, files, uploaded.Sub(began), loads)
	printPhases(status, e, m)
	if err := printCalls(ctx, c); err != nil {
		return execution{}, err
	}
	relations, err := d.relations(ctx)
	if err != nil {
		return execution{}, err
	}
	printStorage(walAfter-walBefore, relations)
	return e, nil
}
