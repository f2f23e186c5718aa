// Command bench measures the product on a local stack of its own.
//
//	go run ./infra/proof/bench speed  -rows 1000000   one initial import, and a day after it
//	go run ./infra/proof/bench memory -gb 1,4         peak memory of each function over files of these sizes
//	go run ./infra/proof/bench proof  -rows 1000000   every reject of two large imports, held against the oracle
//	go run ./infra/proof/bench rules  -rows 1000000   uniqueness and relations, against hand-written SQL
//	go run ./infra/proof/bench ceiling -rows 1000000  ever larger days onto a history: how Publish grows
//
// It starts the stack in .local/bench, forgetting what was there, and removes it
// at the end. Nothing that is measured is estimated: CPU and memory are read
// from /proc, the calls of KMS from the emulator's CloudTrail, rows and times
// from the registry, WAL and sizes from PostgreSQL. So it runs on Linux only.
//
// The figures that were published, and how to read them: docs/performance.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run runs the benchmark that the arguments name.
func run(ctx context.Context, arguments []string) error {
	if len(arguments) > 0 {
		switch arguments[0] {
		case "speed":
			return speed(ctx, arguments[1:])
		case "memory":
			return memory(ctx, arguments[1:])
		case "proof":
			return proof(ctx, arguments[1:])
		case "rules":
			return rules(ctx, arguments[1:])
		case "ceiling":
			return ceiling(ctx, arguments[1:])
		}
	}
	return errors.New("usage: bench speed|memory|proof|rules|ceiling [flags]; -h lists them")
}
