// Command sample makes the ten files of an import, with the faults that are asked for.
//
//	go run ./infra/local/sample -rows 1000 -seed 1 -date 2024-10-07 -faults 0.01 -out DIR
//
// The files are consistent with each other, and every byte follows from the
// options: the same seed makes the same files. Nothing is kept in memory: a
// record is a function of the seed and its key, so a sale can be recomputed by
// the file of payments, and a daily set can refer to a history that was made
// long before.
//
// With -faults above 0 extra records are planted between the sound ones: at
// least one for each rule of the contracts and each way to spoil a line, and
// more up to that share of the records. Beside the files, planted.json lists
// what was planted: a record is rejected if and only if it is in that list; and
// lines.json says what the lines of the files of lines are for.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "sample:", err)
		}
		os.Exit(2)
	}
}

// run parses the arguments, makes the files, and reports on log what it made.
func run(arguments []string, log io.Writer) error {
	options, err := parse(arguments, log)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(options.folder, 0o750); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	s := newSet(options)
	counts, err := s.generate()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(log, "%s: %s\n", options.folder, counts)
	return err
}

// parse reads the command line.
func parse(arguments []string, log io.Writer) (options, error) {
	var o options
	var date, empty string
	flags := flag.NewFlagSet("sample", flag.ContinueOnError)
	flags.SetOutput(log)
	flags.Int64Var(&o.rows, "rows", 1000, "number of clients; there are three sales for each")
	flags.Uint64Var(&o.seed, "seed", 1, "what all random choices follow from")
	flags.StringVar(&date, "date", "2024-10-07", "date of the files, YYYY-MM-DD")
	flags.Float64Var(&o.faults, "faults", 0, "share of faulty records, 0 to 1; above 0 every rule is broken at least once")
	flags.StringVar(&o.folder, "out", "", "folder to write into (required)")
	flags.StringVar(&o.mode, "mode", modeInitial, "initial or daily")
	flags.StringVar(&o.format, "format", formatCSV, "csv, or mixed: some files in JSON, JSON Lines, or a CSV with another look")
	flags.Int64Var(&o.history, "history-rows", 0, "daily: the -rows of the initial set that this day follows, 0 if there is none")
	flags.StringVar(&empty, "empty", "", "files without a record, comma-separated: return_data, payment_data")
	flags.BoolVar(&o.even, "even", false, "every file has -rows records, instead of the proportions of a real business")
	flags.Int64Var(&o.paid, "paid-sales", 0, "only that many sales have payments, and returns in proportion; 0 for all")
	flags.StringVar(&o.only, "only", "", "make only the file of this type, such as client_data")
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	var err error
	if o.date, err = time.Parse(time.DateOnly, date); err != nil {
		return o, fmt.Errorf("-date %q is no date: %w", date, err)
	}
	if empty != "" {
		o.empty = strings.Split(empty, ",")
	}
	return o, o.validate()
}
