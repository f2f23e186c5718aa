package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"etl-dataloader/infra/proof/stack"
)

// rules measures the product's statements of uniqueness and relations against
// hand-written ones, in the PostgreSQL of a new stack: BenchmarkSetRules of
// internal/setrule, which stages the tables and fails above a ratio of 2.
func rules(ctx context.Context, arguments []string) error {
	flags := flag.NewFlagSet("bench rules", flag.ContinueOnError)
	rows := flags.Int64("rows", 1_000_000, "clients; there are three sales for each")
	folder := flags.String("dir", ".local/bench", "where the stack is; forgotten before and after")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	return onStack(ctx, *folder, "", false, func(s *stack.Stack, _ *cloud, _ *database) error { return benchmarkRules(ctx, s, *rows) })
}

func benchmarkRules(ctx context.Context, s *stack.Stack, rows int64) error {
	fmt.Printf("load average before: %s\n", load())
	cmd := exec.CommandContext(ctx, "go", "test", "./internal/setrule", "-run", "^$", "-bench", "BenchmarkSetRules", "-benchtime", "1x", "-timeout", "1h")
	cmd.Env = append(os.Environ(), "ROWS="+strconv.FormatInt(rows, 10), "TEST_DATABASE_URL="+s.Env["TEST_DATABASE_URL"], "MINISTACK="+s.Env["MINISTACK"])
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the rules: %w", err)
	}
	return nil
}
