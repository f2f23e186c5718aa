package main

import (
	"errors"
	"fmt"
	"time"
)

const (
	modeInitial = "initial"
	modeDaily   = "daily"
	formatCSV   = "csv"
	formatMixed = "mixed"
)

// Bounds of the number of clients: below the least there is nothing to choose
// from; above the most the keys of a day, or the ten digits of a tax number,
// would run out.
const (
	leastRows     = 10
	mostRows      = 800_000_000
	mostDailyRows = 25_000_000
)

// options are the arguments of the command line.
type options struct {
	rows    int64     // clients in the file
	seed    uint64    // seed of all choices
	date    time.Time // of the files
	faults  float64   // share of faulty records
	folder  string    // where the files go
	mode    string    // modeInitial or modeDaily
	format  string    // formatCSV or formatMixed
	history int64     // daily: rows of the initial set, 0 if none
	empty   []string  // file types without a record
	even    bool      // every file has about as many records as clients
	paid    int64     // sales that may have payments, 0 for all
	only    string    // the one file type to make, empty for all ten
}

// validate returns an error if the options are invalid.
func (o options) validate() error {
	switch {
	case o.folder == "":
		return errors.New("-out is required")
	case o.mode != modeInitial && o.mode != modeDaily:
		return fmt.Errorf("-mode %q is neither initial nor daily", o.mode)
	case o.format != formatCSV && o.format != formatMixed:
		return fmt.Errorf("-format %q is neither csv nor mixed", o.format)
	case o.rows < leastRows || o.rows > mostRows:
		return fmt.Errorf("-rows must be from %d to %d", leastRows, mostRows)
	case o.mode == modeDaily && o.rows > mostDailyRows:
		return fmt.Errorf("-rows must be at most %d in daily mode", mostDailyRows)
	case o.history < 0 || o.history > mostRows || (o.history > 0 && o.history < leastRows):
		return fmt.Errorf("-history-rows must be 0, or from %d to %d", leastRows, mostRows)
	case o.mode == modeInitial && o.history != 0:
		return errors.New("-history-rows goes with -mode daily")
	case o.paid < 0:
		return errors.New("-paid-sales must not be negative")
	case !(o.faults >= 0 && o.faults <= 1):
		return errors.New("-faults must be from 0 to 1")
	case o.date.Year() < firstYear || o.date.Year() > lastYear:
		return fmt.Errorf("-date must be in the years %d to %d", firstYear, lastYear)
	}
	for _, name := range o.empty {
		if name != "return_data" && name != "payment_data" {
			return fmt.Errorf("-empty %q: only return_data and payment_data may be empty", name)
		}
	}
	return nil
}
