package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/infra/proof/stack"
)

// database is the stack's PostgreSQL, seen by its superuser.
type database struct {
	stack *stack.Stack
	conn  *pgx.Conn
}

func openDatabase(ctx context.Context, s *stack.Stack) (*database, error) {
	conn, err := pgx.Connect(ctx, s.Superuser("etl"))
	if err != nil {
		return nil, fmt.Errorf("database of the stack: %w", err)
	}
	return &database{stack: s, conn: conn}, nil
}

func (d *database) close() { _ = d.conn.Close(context.Background()) }

// facts are the settings that decide the speed.
func (d *database) facts(ctx context.Context) (text string, err error) {
	err = d.conn.QueryRow(ctx, `SELECT 'PostgreSQL ' || current_setting('server_version') || '; ' ||
		string_agg(name || ' ' || current_setting(name), ', ' ORDER BY name) FROM pg_settings
		WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'wal_level', 'shared_buffers', 'max_wal_size')`).Scan(&text)
	return text, err
}

// position is how many bytes of WAL were ever written.
func (d *database) position(ctx context.Context) (bytes int64, err error) {
	err = d.conn.QueryRow(ctx, `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint`).Scan(&bytes)
	return bytes, err
}

// relation is the size of a table.
type relation struct {
	Name           string
	Rows           float64 // as PostgreSQL estimates it
	Table, Indexes int64   // bytes, TOAST and maps included
}

// relations are the sizes of the tables that an import filled, largest first.
func (d *database) relations(ctx context.Context) ([]relation, error) {
	rows, err := d.conn.Query(ctx, `SELECT n.nspname || '.' || c.relname, c.reltuples::float8, pg_table_size(c.oid), pg_indexes_size(c.oid)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname IN ('etl', 'partitions') AND c.relkind = 'r' ORDER BY pg_total_relation_size(c.oid) DESC`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[relation])
}

// quiet waits until autovacuum rests, then writes a checkpoint, so that what an
// import left to do is not done while something else is measured.
func (d *database) quiet(ctx context.Context) error {
	err := stack.Wait(ctx, "the end of autovacuum", 5*time.Minute, func() (bool, error) {
		var busy int
		err := d.conn.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'`).Scan(&busy)
		return busy == 0, err
	})
	if err == nil {
		_, err = d.conn.Exec(ctx, `CHECKPOINT`)
	}
	return err
}

// floorRounds is how often the bare copy is measured.
const floorRounds = 5

// floor copies the files into new tables of text columns with psql's \copy,
// again and again, and returns the seconds of each file in each round.
func (d *database) floor(ctx context.Context, files []string) ([][]float64, error) {
	client, err := psql()
	if err != nil {
		return nil, fmt.Errorf("psql: %w", err)
	}
	script, err := floorScript(files)
	if err != nil {
		return nil, err
	}
	var rounds [][]float64
	for range floorRounds {
		if err := d.quiet(ctx); err != nil {
			return nil, err
		}
		cmd := exec.CommandContext(ctx, client, "-X", "-q", "-v", "ON_ERROR_STOP=1", d.stack.Env["DATABASE_URL"]) //nolint:gosec // our own words
		var problems bytes.Buffer
		cmd.Stdin, cmd.Stderr = strings.NewReader(script), &problems
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("psql: %w: %s", err, problems.String())
		}
		var round []float64
		for _, match := range regexp.MustCompile(`Time: ([0-9.]+) ms`).FindAllSubmatch(out, -1) {
			milliseconds, err := strconv.ParseFloat(string(match[1]), 64)
			if err != nil {
				return nil, err
			}
			round = append(round, milliseconds/1000)
		}
		if len(round) != len(files) {
			return nil, fmt.Errorf("psql timed %d copies of %d: %s", len(round), len(files), out)
		}
		rounds = append(rounds, round)
	}
	return rounds, nil
}

// floorScript makes the bare tables, copies with \timing, and drops them.
func floorScript(files []string) (string, error) {
	var before, copies strings.Builder
	before.WriteString("DROP SCHEMA IF EXISTS bench CASCADE;\nCREATE SCHEMA bench;\n")
	for i, name := range files {
		path, err := filepath.Abs(name)
		if err != nil {
			return "", err
		}
		header, err := firstLine(name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&before, "CREATE TABLE bench.t%d (%s text);\n", i, strings.ReplaceAll(header, ",", " text, "))
		fmt.Fprintf(&copies, "\\copy bench.t%d FROM '%s' (FORMAT csv, HEADER)\n", i, path)
	}
	return before.String() + "\\timing on\n" + copies.String() + "\\timing off\nDROP SCHEMA bench CASCADE;\n", nil
}

func firstLine(name string) (string, error) {
	file, err := os.Open(name) //nolint:gosec // a file that the sample generator made
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	line, err := bufio.NewReader(file).ReadString('\n')
	return strings.TrimSpace(line), err
}

// median of some figures.
func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}
