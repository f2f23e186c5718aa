package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
)

// nightPatience is how long an import may take in a bad night.
const nightPatience = 45 * time.Minute

// night is a bad night of the source of enrichment, by the real clock: what it does while
// an import runs on the whole stack. The import must succeed, each record have the answer
// of its own key or the night's cause, and no call be made in vain.
type night struct {
	name        string
	text        string // what happens
	full, small nightSize
	run         func(ctx context.Context, n *nightRun) error
}

// nightSize is how large a night is. The small one is for those who work on it.
type nightSize struct {
	clients  int
	latency  time.Duration // of each call
	lasts    time.Duration // of an outage
	patience time.Duration // with the source; 0 is the template's
}

// nights are the rows of the table.
func nights() []night {
	return []night{
		{
			"outage-2s", "an outage of 2 s in an initial import of 1,000,000 clients",
			nightSize{clients: 1_000_000, latency: 100 * time.Millisecond, lasts: 2 * time.Second},
			nightSize{clients: 40_000, latency: 200 * time.Millisecond, lasts: 2 * time.Second},
			outageNight,
		},
		{
			"outage-10min", "an outage of 10 min in an initial import of 1,000,000 clients",
			nightSize{clients: 1_000_000, latency: 100 * time.Millisecond, lasts: 10 * time.Minute},
			nightSize{clients: 40_000, latency: 200 * time.Millisecond, lasts: 40 * time.Second},
			outageNight,
		},
		{
			"beyond-patience", "an outage that outlasts the patience, here 2 min, in an initial import of 200,000 clients",
			nightSize{clients: 200_000, latency: 200 * time.Millisecond, patience: 2 * time.Minute},
			nightSize{clients: 40_000, latency: 200 * time.Millisecond, patience: 20 * time.Second},
			patienceNight,
		},
		{
			"poisoned", "one batch of an initial import of 200,000 clients is never answered",
			nightSize{clients: 200_000},
			nightSize{clients: 10_000},
			poisonedNight,
		},
		{
			"interrupted", "EnrichFunction is killed in the middle, then the execution is stopped and redriven; 200,000 clients at 2 s a batch",
			nightSize{clients: 200_000, latency: 2 * time.Second},
			nightSize{clients: 40_000, latency: 2 * time.Second},
			interruptedNight,
		},
		{
			"slow-batches", "an initial import of 200,000 clients at 25 s a batch",
			nightSize{clients: 200_000, latency: 25 * time.Second},
			nightSize{clients: 20_000, latency: 3 * time.Second},
			quietNight,
		},
		{
			"slow-day", "a day of 2,000 clients at 4 s a call",
			nightSize{clients: 2_000, latency: 4 * time.Second},
			nightSize{clients: 60, latency: time.Second},
			dayNight,
		},
	}
}

// nightRun is a night on its way.
type nightRun struct {
	*campaign
	nightSize
	alerts *alerts
	of     stack.Set
	imp    stack.Import

	batch   int    // keys in a call
	failed  int    // records that must have no answer
	cause   string // of those
	extra   int    // calls that the night may cost, besides those of its waits
	thrown  int    // answers that may be given twice, because a run ended before they were persisted
	told    int    // alerts that must be sent
	summary string // how it ended
}

// nightResult is how a night ended.
type nightResult struct {
	night   night
	summary string
	seconds float64
	err     error
}

// endure runs nights on a stack of their own, by the real clock.
func endure(ctx context.Context, folder string, patterns []string, document string, small bool) error {
	if document != "" && small {
		return errors.New("-publish wants the nights in full")
	}
	var results []nightResult
	chosen, err := settings(folder, "ChunkBytes="+map[bool]string{true: "1048576", false: "8388608"}[small], "1")
	if err != nil {
		return err
	}
	s, err := start(ctx, chosen)
	if err == nil {
		results, err = runNights(ctx, s, patterns, small)
		err = errors.Join(err, undenied(s))
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err = errors.Join(err, s.stop(stopping))
	rows := nightRows(results)
	fmt.Print(nightTable(rows))
	if document != "" && len(results) > 0 {
		err = errors.Join(err, publishNights(document, rows))
	}
	for _, r := range results {
		if r.err != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", r.night.name, r.err))
		}
	}
	return err
}

// runNights runs nights one after the other.
func runNights(ctx context.Context, s *system, patterns []string, small bool) (results []nightResult, err error) {
	c, err := newCampaign(ctx, s)
	if err != nil {
		return nil, err
	}
	told, err := s.subscribe(ctx)
	if err != nil {
		return nil, err
	}
	for _, what := range nights() {
		if !anyMatches(patterns, what.name) {
			continue
		}
		n := &nightRun{campaign: c, nightSize: what.full, alerts: told, batch: 1000}
		if small {
			n.nightSize = what.small
		}
		began := time.Now()
		err := n.pass(ctx, what)
		results = append(results, nightResult{what, n.summary, time.Since(began).Seconds(), err})
		fmt.Printf("%-16s %6.0f s, %s, %v\n", what.name, time.Since(began).Seconds(), n.summary, err)
		if ctx.Err() != nil {
			return results, ctx.Err()
		}
	}
	if len(results) == 0 {
		return nil, fmt.Errorf("no night is named %q", patterns)
	}
	return results, nil
}

// pass takes an import through a night.
func (n *nightRun) pass(ctx context.Context, what night) error {
	if err := n.restore(ctx, n.baselines["initial"]); err != nil {
		return err
	}
	if err := n.source.order(ctx, order{Mode: "ok"}); err != nil {
		return err
	}
	if n.patience > 0 {
		restore, err := n.configure(ctx, "EnrichFunction", map[string]string{
			"ENRICHMENT_PATIENCE_INITIAL": strconv.Itoa(int(n.patience / time.Second)),
		})
		if err != nil {
			return err
		}
		defer restore()
	}
	if err := what.run(ctx, n); err != nil {
		return err
	}
	return n.judge(ctx)
}

// begin makes the files of an initial import and uploads them. The source takes its
// latency for each call from now on.
func (n *nightRun) begin(ctx context.Context) error {
	n.of = nightSet(n.Folder, n.clients)
	if err := makeNight(ctx, n.of, n.clients, 0); err != nil {
		return err
	}
	return n.upload(ctx)
}

func (n *nightRun) upload(ctx context.Context) error {
	if err := n.source.order(ctx, order{Mode: "ok", Latency: int(n.latency / time.Millisecond)}); err != nil {
		return err
	}
	return n.UploadAll(ctx, n.of)
}

// succeed waits for the end of the import, after so many attempts.
func (n *nightRun) succeed(ctx context.Context, attempts int) (err error) {
	n.imp, err = n.Await(ctx, "the end of the import", nightPatience, n.of.Mode, n.of.Date, func(imp stack.Import) (bool, error) {
		return imp.Attempts >= attempts && imp.Reported(), nil
	})
	if err == nil && (n.imp.Status != etl.StatusSucceeded || n.imp.Attempts != attempts) {
		err = fmt.Errorf("the import is «%s» at %s after %d attempts: %s: %s", n.imp.Status, n.imp.State, n.imp.Attempts, n.imp.Fault, n.imp.Reason)
	}
	return err
}

// judge holds what the import has left against what the source knows, and the calls
// against what was needed.
func (n *nightRun) judge(ctx context.Context) error {
	status, err := registry.New(n.DynamoDB, n.Env["REGISTRY_TABLE"], time.Now).Status(ctx, n.imp.ImportID)
	if err != nil {
		return err
	}
	var asked registry.SourceTotal
	for _, s := range status.Sources {
		if s.Source == "clients" {
			asked = s
		}
	}
	made, err := n.source.counts(ctx)
	if err != nil {
		return err
	}
	needed, parts, err := n.needed(ctx)
	if err != nil {
		return err
	}
	sent, err := n.alerts.of(ctx, n.imp.ImportID)
	if err != nil {
		return err
	}
	calls := made.Batches + made.Lookups
	n.summary = fmt.Sprintf("%d answered, %d unknown, %d failed; %d calls, %d needed; %d parts; %d answers given twice; %d waits (%.0f s); %d alerts",
		asked.Answered, asked.NotFound, asked.NotEnriched(), calls, needed, parts, made.AnsweredAgain, asked.Waits, asked.WaitSeconds, sent)
	// A wait begins after at most two calls for each of those in flight and three more, or ends
	// with four at most that find out that the source is not back.
	most := needed + n.extra + n.thrown/n.batch + 20*int(asked.Waits)
	switch {
	case asked.NotEnriched() != int64(n.failed) || (n.failed > 0 && asked.Failed[n.cause] != int64(n.failed)):
		return fmt.Errorf("%d records have no answer (%v), want %d for %q", asked.NotEnriched(), asked.Failed, n.failed, n.cause)
	case calls > most:
		return fmt.Errorf("%d calls, want at most %d", calls, most)
	case made.AnsweredAgain > n.thrown+n.extra+int(asked.Waits): // a probe asks for any key
		return fmt.Errorf("%d answers were given twice, want at most %d", made.AnsweredAgain, n.thrown)
	case sent != n.told:
		return fmt.Errorf("%d alerts, want %d", sent, n.told)
	}
	return n.answersRight(ctx)
}

// nightsBegin marks the table of the last full run in a document.
const nightsBegin = "<!-- the nights: make nights PUBLISH=1 -->\n"

// nightRows writes how nights ended, by their names, as rows of the table.
func nightRows(results []nightResult) map[string]string {
	rows, at := map[string]string{}, revision()+", "+time.Now().UTC().Format(time.DateOnly)
	for _, r := range results {
		ends := r.summary
		if r.err != nil {
			ends = "**no**: " + r.summary
		}
		rows[r.night.name] = fmt.Sprintf("| %s | %s | %s | %.0f s | %s |\n", r.night.name, r.night.text, ends, r.seconds, at)
	}
	return rows
}

// nightTable writes the table in Markdown.
func nightTable(rows map[string]string) string {
	var b strings.Builder
	b.WriteString("| night | what happens | how it ends | time | at |\n|---|---|---|---|---|\n")
	for _, n := range nights() {
		b.WriteString(rows[n.name])
	}
	return b.String()
}

// publishNights replaces the rows of nights in a document; those of others stay.
func publishNights(document string, rows map[string]string) error {
	text, err := os.ReadFile(document) //nolint:gosec // the user's own choice
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		for _, n := range nights() {
			if strings.HasPrefix(line, "| "+n.name+" |") && rows[n.name] == "" {
				rows[n.name] = line
			}
		}
	}
	changed, err := replaceTable(string(text), nightsBegin, nightTable(rows))
	if err != nil {
		return fmt.Errorf("%s: %w", document, err)
	}
	return os.WriteFile(document, []byte(changed), 0o644) //nolint:gosec // a document for everybody
}
