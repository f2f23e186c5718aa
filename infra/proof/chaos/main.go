// Command chaos runs the fault matrix: every step of the machine meets every
// fault, in both modes, on a local stack of its own, and after the redrive the
// database must be the same as if nothing had happened.
//
//	go run ./infra/proof/chaos                              all cells
//	go run ./infra/proof/chaos -fast                        the ones that the tests run
//	go run ./infra/proof/chaos Stage/killed/daily           one cell
//	go run ./infra/proof/chaos 'Stage/*/daily' Publish      several
//	go run ./infra/proof/chaos -hostile                     the hostilities of hostile.go
//	go run ./infra/proof/chaos -hostile junk/daily          one of them
//	go run ./infra/proof/chaos -nights                      the bad nights of nights.go
//	go run ./infra/proof/chaos -nights -small poisoned      one of them, with few records
//
// The faults come from outside: from the emulator of AWS, from a proxy before
// PostgreSQL, and by signals. docs/chaos.md explains them. It exits with status
// 1 unless all cells recovered without a duplicate, a loss or an orphan.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	quick := flags.Bool("fast", false, "run the cells of the continuous integration")
	bad := flags.Bool("nights", false, "run the bad nights of the source of enrichment instead of the matrix")
	small := flags.Bool("small", false, "with -nights: few records and short waits")
	folder := flags.String("folder", ".local/chaos", "of the local stack")
	hostilities := flags.Bool("hostile", false, "run what hostile people and accounts do instead of the matrix")
	out := flags.String("publish", "", "document whose table is replaced by the one of this run")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	patterns := flags.Args()
	if *hostilities {
		return suffer(ctx, *folder, patterns, *out)
	}
	if *bad {
		return endure(ctx, *folder, patterns, *out, *small)
	}
	switch {
	case *quick:
		patterns = fast()
	case len(patterns) == 0:
		patterns = []string{"*"}
	}
	chosen, err := choose(patterns)
	if err != nil {
		return err
	}
	if *out != "" && len(chosen) != len(cells()) {
		return errors.New("-publish wants all cells")
	}
	var results []result
	s, err := startMatrix(ctx, *folder)
	if err == nil {
		results, err = runCells(ctx, s, chosen)
		err = errors.Join(err, undenied(s))
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	if len(results) < len(chosen) {
		*out = "" // it was interrupted
	}
	err = errors.Join(err, s.stop(stopping), report(results, *out))
	failed := 0
	for _, r := range results {
		if !r.good() {
			failed++
		}
	}
	if failed > 0 {
		err = errors.Join(err, fmt.Errorf("%d of %d cells failed", failed, len(results)))
	}
	return err
}

// suffer runs the hostilities on a stack of their own.
func suffer(ctx context.Context, folder string, patterns []string, document string) error {
	if document != "" && len(patterns) > 0 {
		return errors.New("-publish wants all hostilities")
	}
	var results []result
	s, err := startMatrix(ctx, folder)
	if err == nil {
		results, err = runHostilities(ctx, s, patterns)
		err = errors.Join(err, undenied(s))
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	err = errors.Join(err, s.stop(stopping))
	made := hostileTable(results)
	fmt.Print(made)
	if document != "" && err == nil {
		err = publish(document, hostileBegins, made)
	}
	for _, r := range results {
		if !r.good() {
			err = errors.Join(err, fmt.Errorf("%s/%s: %s", r.cell.step.name, r.cell.mode, r.trouble))
		}
	}
	return err
}

// undenied fails if a role of the stack was denied a request, whatever came of that.
func undenied(s *system) error {
	denied, err := s.Denied()
	if err != nil || len(denied) == 0 {
		fmt.Printf("requests that IAM denied: %d\n", len(denied))
		return err
	}
	return fmt.Errorf("IAM denied %s", strings.Join(denied, "; "))
}

// runCells runs cells and says of each how it ended.
func runCells(ctx context.Context, s *system, chosen []cell) (results []result, err error) {
	c, err := newCampaign(ctx, s)
	if err != nil {
		return nil, err
	}
	for i, at := range chosen {
		if ctx.Err() != nil {
			return results, ctx.Err()
		}
		r := c.run(ctx, at)
		results = append(results, r)
		verdict := "recovered"
		if !r.good() {
			verdict = "FAILED: " + r.trouble
		}
		fmt.Printf("%3d/%d %-40s %5.1f s, attempts %d, duplicates %d, losses %d, %s\n",
			i+1, len(chosen), at, r.seconds, r.attempts, r.duplicates, r.losses, verdict)
	}
	return results, nil
}

// report prints the table, and puts it into a document if one is named.
func report(results []result, document string) error {
	if len(results) == 0 {
		return nil
	}
	var made bytes.Buffer
	if err := errors.Join(table(&made, results), exceptions(&made)); err != nil {
		return err
	}
	fmt.Print(made.String())
	if document == "" {
		return nil
	}
	return publish(document, tableBegins, made.String())
}

// publish replaces a table of a document, and says of which commit it is.
func publish(document, begins, made string) error {
	text, err := os.ReadFile(document) //nolint:gosec // the user's own choice
	if err != nil {
		return err
	}
	changed, err := replaceTable(string(text), begins, "At "+revision()+":\n\n"+made)
	if err != nil {
		return fmt.Errorf("%s: %w", document, err)
	}
	return os.WriteFile(document, []byte(changed), 0o644) //nolint:gosec // a document for everybody
}

// revision names the commit that runs.
func revision() string {
	commit, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "an unknown commit (no git repository)"
	}
	return "commit " + strings.TrimSpace(string(commit))
}
