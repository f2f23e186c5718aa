package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// readers poll the published tables as a reporting tool would: in one statement
// under READ COMMITTED, and in several statements of one transaction under
// REPEATABLE READ.
type readers struct {
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu   sync.Mutex
	seen map[string]int // counts of the tables, and how often they were seen
	err  error
}

// watchedTables are published in one go.
func watchedTables() []string { return []string{"clients", "ventes", "produits", "events"} }

// watch starts the readers.
func (s *system) watch(ctx context.Context) (*readers, error) {
	reading, cancel := context.WithCancel(ctx)
	r := &readers{cancel: cancel, seen: map[string]int{}}
	for _, level := range []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.RepeatableRead} {
		conn, err := pgx.Connect(ctx, s.Env["DATABASE_URL"])
		if err != nil {
			cancel()
			r.done.Wait()
			return nil, err
		}
		r.done.Go(func() { r.poll(reading, conn, level) })
	}
	return r, nil
}

func (r *readers) poll(ctx context.Context, conn *pgx.Conn, level pgx.TxIsoLevel) {
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		counts, err := look(context.WithoutCancel(ctx), conn, level)
		r.mu.Lock()
		if err != nil && r.err == nil {
			r.err = fmt.Errorf("a reader was disturbed: %w", err)
		}
		r.seen[counts]++
		r.mu.Unlock()
		if err != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look counts the rows of the tables.
func look(ctx context.Context, conn *pgx.Conn, level pgx.TxIsoLevel) (string, error) {
	counts := make([]int64, len(watchedTables()))
	err := pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: level}, func(tx pgx.Tx) error {
		if level == pgx.ReadCommitted {
			return tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM final.clients), (SELECT count(*) FROM final.ventes),
				(SELECT count(*) FROM final.produits), (SELECT count(*) FROM final.events)`).Scan(&counts[0], &counts[1], &counts[2], &counts[3])
		}
		for i, table := range watchedTables() {
			if err := tx.QueryRow(ctx, "SELECT count(*) FROM final."+table).Scan(&counts[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return fmt.Sprint(counts), err
}

// stop ends the readers and returns what they saw.
func (r *readers) stop() (map[string]int, error) {
	r.cancel()
	r.done.Wait()
	return r.seen, r.err
}
