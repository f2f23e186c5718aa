package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/etl"
)

// publishLimit is how long the transaction that publishes a day may take: each of
// its statements has 14 minutes (internal/postgres), and so has the whole, as the
// function ends after 15.
const publishLimit = 14 * time.Minute

// ceilingOptions are the flags of `bench ceiling`.
type ceilingOptions struct {
	rows, paidSales int64
	days            []int64
	safety          float64
	folder          string
	keep            bool
}

// ceiling imports a history and then ever larger days, the last of them twice,
// and prints how the publishing transaction grows with the day and how many
// records it would publish within its limit.
func ceiling(ctx context.Context, arguments []string) (err error) {
	var o ceilingOptions
	flags := flag.NewFlagSet("bench ceiling", flag.ContinueOnError)
	flags.Int64Var(&o.rows, "rows", 1_000_000, "clients of the history; there are three sales for each")
	flags.Int64Var(&o.paidSales, "paid-sales", 1000, "sales of the history with payments and returns")
	days := flags.String("days", "100000,500000,1000000,2000000", "records of each day, about")
	flags.Float64Var(&o.safety, "safety", 4, "what the extrapolated ceiling is divided by")
	flags.StringVar(&o.folder, "dir", ".local/bench", "where the stack and the files are; forgotten before and after")
	flags.BoolVar(&o.keep, "keep", false, "stop the stack at the end, but keep its data")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	for text := range strings.SplitSeq(*days, ",") {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 || len(o.days) > 0 && n <= o.days[len(o.days)-1] {
			return fmt.Errorf("-days %q: want numbers that grow", *days)
		}
		o.days = append(o.days, n)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(filepath.Join(o.folder, "files"))) }()
	return onStack(ctx, o.folder, "MaxDailyRecords=0", o.keep, func(_ *stack.Stack, c *cloud, d *database) error { return o.measure(ctx, c, d) })
}

func (o ceilingOptions) measure(ctx context.Context, c *cloud, d *database) error {
	history, err := o.history(ctx, c)
	if err != nil {
		return err
	}
	fmt.Printf("History: %s records, execution %.1f s\n", grouped(history.records), history.execution.seconds())
	var measured []publication
	date, err := time.Parse(time.DateOnly, historyDate)
	if err != nil {
		return err
	}
	var files stack.Set
	for _, records := range o.days {
		date = date.AddDate(0, 0, 1)
		if files, err = o.day(ctx, date, records); err != nil {
			return err
		}
		p, err := publish(ctx, c, d, files)
		if err != nil {
			return err
		}
		measured = append(measured, p)
		printPublications(measured)
	}
	// The same files under the next date: every row of theirs is there already.
	date = date.AddDate(0, 0, 1)
	if files, err = renamed(files, date, filepath.Join(o.folder, "files", "again")); err != nil {
		return err
	}
	again, err := publish(ctx, c, d, files)
	if err != nil {
		return err
	}
	printPublications(append(measured, again))
	printCeiling(growthOf(measured, publishLimit), again, o.safety)
	return nil
}

// history imports the history.
func (o ceilingOptions) history(ctx context.Context, c *cloud) (publication, error) {
	files := history(filepath.Join(o.folder, "files", "history"))
	if err := files.Make(ctx, "-rows", strconv.FormatInt(o.rows, 10), "-paid-sales", strconv.FormatInt(o.paidSales, 10)); err != nil {
		return publication{}, err
	}
	return imported(ctx, c, files)
}

// day makes the files of a day of about so many records, in the proportions of a
// real business: for each client three sales, nearly as many payments, some
// returns; of the small files there is as much as of the history's.
func (o ceilingOptions) day(ctx context.Context, date time.Time, records int64) (stack.Set, error) {
	const aClient, small = 6.74, 19 // measured; the small files go with the root of the history
	clients := int64(math.Ceil((float64(records) - small*math.Sqrt(float64(o.rows))) / aClient))
	name := date.Format(time.DateOnly)
	files := stack.Set{Mode: string(etl.ModeDaily), Date: name, Folder: filepath.Join(o.folder, "files", name)}
	return files, files.Make(ctx, "-rows", strconv.FormatInt(max(10, clients), 10), "-history-rows", strconv.FormatInt(o.rows, 10))
}

// renamed gives the files of a day another date.
func renamed(files stack.Set, date time.Time, folder string) (stack.Set, error) {
	again := stack.Set{Mode: files.Mode, Date: date.Format(time.DateOnly), Folder: folder}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return again, err
	}
	names, err := files.Files()
	if err != nil {
		return again, err
	}
	for _, name := range names {
		if err := os.Link(files.Path(name), again.Path(strings.Replace(name, files.Compact(), again.Compact(), 1))); err != nil {
			return again, err
		}
	}
	return again, nil
}

// publication is one measured day.
type publication struct {
	date      string
	begun     time.Time // of the publishing transaction
	records   int64     // read
	written   int64     // to tables that are inserted or updated
	fresh     int64     // of them inserted
	publish   float64   // seconds of the publishing transaction
	coherence float64   // seconds from its end to the end of the state
	execution execution
	load      string // average before it
}

// upserted are the tables that are inserted or updated.
var upserted = [...]string{"clients", "ventes", "stocks", "paiements", "retours", "employes"} //nolint:gochecknoglobals // a constant list

// publish imports a day and measures its publication.
func publish(ctx context.Context, c *cloud, d *database, files stack.Set) (publication, error) {
	if err := d.quiet(ctx); err != nil {
		return publication{}, err
	}
	before, err := d.rows(ctx, upserted[:])
	if err != nil {
		return publication{}, err
	}
	p, err := imported(ctx, c, files)
	if err != nil {
		return p, err
	}
	after, err := d.rows(ctx, upserted[:])
	if err != nil {
		return p, err
	}
	p.fresh = after - before
	var ended time.Time
	if err := d.conn.QueryRow(ctx, `SELECT p.created_at, c.created_at, (SELECT sum((p.result->'tables'->r->>'written')::bigint) FROM unnest($2::text[]) r)
		FROM etl.ledger p JOIN etl.ledger c USING (import_id, generation) JOIN etl.imports i USING (import_id, generation)
		WHERE i.mode = 'daily' AND i.file_date = $1::date AND p.phase = 'Publish' AND c.phase = 'Coherence'`, files.Date, upserted[:]).
		Scan(&p.begun, &ended, &p.written); err != nil {
		return p, fmt.Errorf("times of %s in the ledger: %w", files.Date, err)
	}
	p.publish = ended.Sub(p.begun).Seconds()
	p.coherence = p.execution.find("Publish").exited.Sub(ended).Seconds()
	return p, nil
}

// imported imports files and reads what the registry and the execution tell.
func imported(ctx context.Context, c *cloud, files stack.Set) (publication, error) {
	p := publication{date: files.Date, load: load()}
	if err := c.UploadAll(ctx, files); err != nil {
		return p, err
	}
	imp, err := c.await(ctx, files, importLimit)
	if err != nil {
		return p, err
	}
	status, err := c.registry.Status(ctx, imp.ImportID)
	if err != nil {
		return p, err
	}
	for _, f := range status.Files {
		p.records += f.Counts.Read
	}
	p.execution, err = c.execution(ctx, imp.ExecutionARN)
	return p, err
}

// rows counts the published rows of some tables together.
func (d *database) rows(ctx context.Context, tables []string) (total int64, err error) {
	for _, name := range tables {
		var n int64
		if err := d.conn.QueryRow(ctx, `SELECT count(*) FROM final.`+name).Scan(&n); err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// growth is how the publishing transaction grows with the records of a day.
type growth struct {
	exponent float64 // seconds grow as records to this power, at least 1
	fits     int64   // records of the day that would take all of the limit
	largest  publication
}

// growthOf fits the seconds of the publishing transaction, on a log-log scale by
// least squares, and goes on from the largest day with the exponent found; one
// below 1 counts as 1, as what does not grow with the day does not help a larger
// one. Less than two days have the exponent 1.
func growthOf(days []publication, limit time.Duration) growth {
	var n, sumX, sumY, sumXX, sumXY float64
	g := growth{exponent: 1}
	for _, p := range days {
		x, y := math.Log(float64(p.records)), math.Log(p.publish)
		n, sumX, sumY, sumXX, sumXY = n+1, sumX+x, sumY+y, sumXX+x*x, sumXY+x*y
		if p.records > g.largest.records {
			g.largest = p
		}
	}
	if spread := n*sumXX - sumX*sumX; spread > 0 {
		g.exponent = max(1, (n*sumXY-sumX*sumY)/spread)
	}
	g.fits = int64(float64(g.largest.records) * math.Pow(limit.Seconds()/g.largest.publish, 1/g.exponent))
	return g
}

// recommended is a share of a ceiling, rounded down to two digits.
func recommended(fits int64, safety float64) int64 {
	n := int64(float64(fits) / safety)
	unit := int64(1)
	for n/unit >= 100 {
		unit *= 10
	}
	return n / unit * unit
}

// printPublications prints a line a day.
func printPublications(days []publication) {
	fmt.Println()
	w := table()
	row(w, "day", "records", "upserted", "of them new", "Publish s", "coherence s", "records/s of Publish", "CrossCheck s", "execution s", "load before")
	for _, p := range days {
		row(w, p.date, p.records, p.written, p.fresh, p.publish, p.coherence, int64(float64(p.records)/p.publish),
			p.execution.find("CrossCheck").seconds(), p.execution.seconds(), p.load)
	}
	_ = w.Flush()
}

// printCeiling prints what the days say of one that is larger.
func printCeiling(g growth, again publication, safety float64) {
	fmt.Printf("\nThe publishing transaction grows as records to the power %.2f; the largest measured day of %s records took %.1f s, %.0f%% of its %.0f minutes.\n",
		g.exponent, grouped(g.largest.records), g.largest.publish, 100*g.largest.publish/publishLimit.Seconds(), publishLimit.Minutes())
	fmt.Printf("The same day again, when all its rows are there already: %.1f s, %.1f times as long.\n", again.publish, again.publish/g.largest.publish)
	slower := max(1, again.publish/g.largest.publish)
	updated := int64(float64(g.fits) / math.Pow(slower, 1/g.exponent))
	fmt.Printf("Extrapolated ceiling: %s records; %s if all rows are there already\n", grouped(g.fits), grouped(updated))
	fmt.Printf("recommended MaxDailyRecords on such a machine, with a factor of safety of %.0f: %s (measured up to %s)\n",
		safety, grouped(recommended(updated, safety)), grouped(g.largest.records))
}
