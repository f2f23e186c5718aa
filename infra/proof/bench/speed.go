package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"etl-dataloader/infra/proof/stack"
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
	return onStack(ctx, o.folder, o.parameters, o.keep, func(s *stack.Stack, c *cloud, d *database) error { return o.measure(ctx, s, c, d) })
}

func (o speedOptions) measure(ctx context.Context, s *stack.Stack, c *cloud, d *database) (err error) {
	files := history(filepath.Join(o.folder, "files", "history"))
	if err := files.Make(ctx, "-rows", strconv.FormatInt(o.rows, 10), "-paid-sales", strconv.FormatInt(o.paidSales, 10)); err != nil {
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
	clients, err := files.File("client_data")
	if err != nil {
		return err
	}
	sales, err := files.File("sales_data")
	if err != nil {
		return err
	}
	rounds, err := d.floor(ctx, []string{files.Path(clients), files.Path(sales)})
	if err != nil {
		return err
	}
	printRatio(rounds, e.seconds())
	return nil
}

// importHistory imports the files in initial mode and prints what it took.
func importHistory(ctx context.Context, s *stack.Stack, c *cloud, d *database, files stack.Set) (execution, error) {
	size, err := files.Size()
	if err != nil {
		return execution{}, err
	}
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
	if err := c.UploadAll(ctx, files); err != nil {
		return execution{}, err
	}
	uploaded := time.Now()
	imp, err := c.await(ctx, files, importLimit)
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
	printImport(status, e, size, uploaded.Sub(began), loads)
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
