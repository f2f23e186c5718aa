package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/registry"
)

// numbered is what the registry knows of an import at a generation.
func numbered(importID string, generation int) registry.Import {
	return registry.Import{ImportID: importID, Mode: etl.ModeDaily, FileDate: "2024-10-08", Generation: generation}
}

func TestRestartSupersedes(t *testing.T) {
	t.Parallel()
	o := open(t)
	if _, err := postgres.Once(t.Context(), o.db, unit(0), note("first")); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second call, as after a lost answer, changes nothing
		if generation, err := o.db.Restart(t.Context(), numbered(importID, 1), false); err != nil || generation != 2 {
			t.Fatalf("restarted as %d, %v; want 2", generation, err)
		}
	}
	if got := o.count(t, `SELECT generation FROM etl.imports`); got != 2 {
		t.Errorf("the import is at generation %d, want 2", got)
	}
	if o.ledger(t) != 0 {
		t.Error("the ledger still has the first generation")
	}
	_, err := postgres.Once(t.Context(), o.db, unit(0), note("late"))
	if got, ok := errors.AsType[*fault.Superseded](err); !ok || got.ImportID != importID || got.Generation != 1 {
		t.Errorf("a late twin got %v, want Superseded", err)
	}
	second := unit(0)
	second.Generation = 2
	if got, err := postgres.Once(t.Context(), o.db, second, note("second")); err != nil || got.Note != "second" {
		t.Errorf("the new generation got %+v, %v", got, err)
	}
}

func TestAbandonSupersedes(t *testing.T) {
	t.Parallel()
	o := open(t)
	for range 2 {
		if err := o.db.Abandon(t.Context(), numbered(importID, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if got := postgrestest.Scan[string](t, o.conn, `SELECT status FROM etl.imports`); got != "abandonné" {
		t.Errorf("the import is %q", got)
	}
	for generation := 1; generation <= 3; generation++ {
		u := unit(0)
		u.Generation = generation
		if _, err := postgres.Once(t.Context(), o.db, u, note("late")); !isSuperseded(err) {
			t.Errorf("generation %d of an abandoned import got %v", generation, err)
		}
	}
	if o.written(t) != 0 {
		t.Error("an abandoned import was written")
	}
}

func TestUnknownImport(t *testing.T) {
	t.Parallel()
	o := open(t)
	u := unit(0)
	u.ImportID = "IMPORT_20241009_150000_999"
	if _, err := postgres.Once(t.Context(), o.db, u, note("x")); !isSuperseded(err) {
		t.Errorf("got %v, want Superseded", err)
	}
}

// An import that was restarted or given up before it reached the database: a late
// Open of the old generation is superseded, and the new one is not.
func TestTombstone(t *testing.T) {
	t.Parallel()
	for name, retire := range map[string]func(context.Context, *postgres.DB, registry.Import) error{
		"restart": func(ctx context.Context, db *postgres.DB, imp registry.Import) error {
			generation, err := db.Restart(ctx, imp, false)
			if generation != imp.Generation+1 {
				t.Errorf("restarted as %d", generation)
			}
			return err
		},
		"abandon": func(ctx context.Context, db *postgres.DB, imp registry.Import) error { return db.Abandon(ctx, imp) },
	} {
		for _, repeated := range []int{1, 2} { // a second call, as after a lost answer, changes nothing
			t.Run(fmt.Sprint(name, repeated), func(t *testing.T) {
				t.Parallel()
				o := open(t)
				old := numbered("IMPORT_20241009_150000_999", 4)
				for range repeated {
					if err := retire(t.Context(), o.db, old); err != nil {
						t.Fatal(err)
					}
				}
				if err := o.db.Enter(t.Context(), old, "hash"); !isSuperseded(err) {
					t.Errorf("a late Open got %v, want Superseded", err)
				}
				late := unit(0)
				late.ImportID, late.Generation = old.ImportID, 4
				if _, err := postgres.Once(t.Context(), o.db, late, note("late")); !isSuperseded(err) {
					t.Errorf("a late twin got %v, want Superseded", err)
				}
				next := old
				next.Generation = 5
				err := o.db.Enter(t.Context(), next, "hash")
				if abandoned := name == "abandon"; isSuperseded(err) != abandoned || (!abandoned && err != nil) {
					t.Errorf("the next generation got %v", err)
				}
				if _, err := o.db.Restart(t.Context(), next, false); err != nil {
					t.Errorf("it cannot be restarted again: %v", err)
				}
				if _, err := o.db.Restart(t.Context(), old, false); !isSuperseded(err) {
					t.Errorf("a restart that comes too late got %v", err)
				}
			})
		}
	}
}

// An Open that entered the old generation while a restart left no row, as once
// happened, does not keep the import from being restarted.
func TestRowLeftBehind(t *testing.T) {
	t.Parallel()
	o := open(t)
	if generation, err := o.db.Restart(t.Context(), numbered(importID, 3), false); err != nil || generation != 4 {
		t.Fatalf("restarted as %d, %v", generation, err)
	}
	if err := o.db.Enter(t.Context(), numbered(importID, 4), "hash"); err != nil {
		t.Errorf("Open got %v", err)
	}
}

func TestPublishedIsRefused(t *testing.T) {
	t.Parallel()
	o := open(t)
	postgrestest.Exec(t, o.conn, `UPDATE etl.imports SET status = 'réussi', published_generation = 1`)
	_, err := o.db.Restart(t.Context(), numbered(importID, 1), false)
	for name, err := range map[string]error{"restart": err, "abandon": o.db.Abandon(t.Context(), numbered(importID, 1))} {
		if _, ok := errors.AsType[*fault.Refused](err); !ok {
			t.Errorf("%s of a published import: %v, want Refused", name, err)
		}
	}
	if got := o.count(t, `SELECT generation FROM etl.imports`); got != 1 {
		t.Errorf("it is at generation %d", got)
	}
}

// TestForcedRestart: what is published stays, with its errors, however often the
// restart is repeated and whatever becomes of the next generation.
func TestForcedRestart(t *testing.T) {
	t.Parallel()
	o := open(t)
	staging := postgres.Leaf{Kind: postgres.Staging, Resource: "clients", ImportID: importID, Generation: 1}
	events := postgres.Leaf{Kind: postgres.Published, ImportID: importID, Generation: 1}
	o.inTx(t, func(ctx context.Context, tx *postgres.Tx) error {
		for _, l := range []postgres.Leaf{staging, events} {
			if err := l.Create(ctx, tx, postgres.Source{FileDate: "2024-10-08"}); err != nil {
				return err
			}
			if err := l.AttachByImport(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	postgrestest.Exec(t, o.conn, `UPDATE etl.imports SET status = 'réussi', published_generation = 1`)
	for _, generation := range []int{1, 2} {
		postgrestest.Exec(t, o.conn, `INSERT INTO etl.rejects VALUES ($1, $2, 'clients', 2)`, importID, generation)
	}
	for range 2 {
		if generation, err := o.db.Restart(t.Context(), numbered(importID, 1), true); err != nil || generation != 2 {
			t.Fatalf("restarted as %d, %v", generation, err)
		}
	}
	if _, err := o.db.Restart(t.Context(), numbered(importID, 2), false); err != nil {
		t.Fatal(err)
	}
	if err := o.db.Abandon(t.Context(), numbered(importID, 3)); err != nil {
		t.Fatal(err)
	}
	for l, want := range map[postgres.Leaf]bool{staging: false, events: true} {
		if got := postgrestest.Scan[bool](t, o.conn, `SELECT to_regclass($1) IS NOT NULL`, l.Table()); got != want {
			t.Errorf("%s exists: %v, want %v", l.Table(), got, want)
		}
	}
	if got := postgrestest.Scan[string](t, o.conn, `SELECT string_agg(generation::text, ',') FROM etl.rejects`); got != "1" {
		t.Errorf("rejects of the generations %s are left, want those of the published one", got)
	}
	if got := postgrestest.Scan[string](t, o.conn, `SELECT concat(status, generation, published_generation) FROM etl.imports`); got != "abandonné41" {
		t.Errorf("the import is %s", got)
	}
}

// TestRestartEndsALateTwin: a writer in the middle of its transaction is ended
// by the restart and leaves nothing, even if it never heard of it.
func TestRestartEndsALateTwin(t *testing.T) {
	t.Parallel()
	for name, retire := range map[string]func(context.Context, *postgres.DB) error{
		"restart": func(ctx context.Context, db *postgres.DB) error {
			_, err := db.Restart(ctx, numbered(importID, 1), false)
			return err
		},
		"abandon": func(ctx context.Context, db *postgres.DB) error { return db.Abandon(ctx, numbered(importID, 1)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := open(t)
			inside, release, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			go func() {
				_, err := postgres.Once(t.Context(), o.db, unit(0), func(ctx context.Context, tx *postgres.Tx) (result, error) {
					r, err := note("late")(ctx, tx)
					close(inside)
					<-release
					return r, err
				})
				ended <- err
			}()
			<-inside
			if err := retire(t.Context(), server.Open(t, o.url)); err != nil {
				t.Fatal(err)
			}
			close(release)
			if err := <-ended; !isTransient(err) {
				t.Errorf("the twin got %v, want a Transient fault", err)
			}
			if o.written(t) != 0 || o.ledger(t) != 0 {
				t.Errorf("the twin left %d rows and %d ledger rows", o.written(t), o.ledger(t))
			}
			if _, err := postgres.Once(t.Context(), o.db, unit(0), note("later")); !isSuperseded(err) {
				t.Errorf("its retry got %v, want Superseded", err)
			}
		})
	}
}

// TestFenceLetsStatusPass: writers do not hold up a change of status, and a
// restart that could not end the writers waits for them.
func TestFenceLetsStatusPass(t *testing.T) {
	t.Parallel()
	o := open(t)
	_, err := postgres.Once(t.Context(), o.db, unit(0), func(context.Context, *postgres.Tx) (result, error) {
		postgrestest.Exec(t, o.conn, `SET lock_timeout = '2s'; UPDATE etl.imports SET status = 'échoué', updated_at = now()`)
		if _, err := o.conn.Exec(t.Context(), `SELECT FROM etl.imports FOR UPDATE NOWAIT`); err == nil {
			t.Error("the fence does not hold the import")
		}
		return result{}, nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestRestartDropsTheGeneration: what was partially imported is gone, and what
// belongs to others stays.
func TestRestartDropsTheGeneration(t *testing.T) {
	t.Parallel()
	o := open(t)
	const other = "IMPORT_20241009_150000_002"
	o.addImport(t, other)
	leaves := []postgres.Leaf{
		{Kind: postgres.Staging, Resource: "clients", ImportID: importID, Generation: 1},
		{Kind: postgres.Target, Resource: "ventes", ImportID: importID, Generation: 1},
		{Kind: postgres.Events, ImportID: importID, Generation: 1},
		{Kind: postgres.Staging, Resource: "clients", ImportID: other, Generation: 1},
	}
	o.inTx(t, func(ctx context.Context, tx *postgres.Tx) error {
		for _, l := range leaves {
			if err := l.Create(ctx, tx, from); err != nil {
				return err
			}
		}
		return leaves[0].AttachByImport(ctx, tx)
	})
	for _, id := range []string{importID, other} {
		postgrestest.Exec(t, o.conn, `INSERT INTO etl.files (import_id, generation, resource, file, object_key, version_id, size_bytes) VALUES ($1, 1, 'clients', 'f', 'k', 'v', 1)`, id)
		postgrestest.Exec(t, o.conn, `INSERT INTO etl.errors (import_id, generation, file, resource, rule, error_details, processing_step) VALUES ($1, 1, 'f', 'clients', 'r', 'd', 's')`, id)
		postgrestest.Exec(t, o.conn, `INSERT INTO etl.rejects VALUES ($1, 1, 'clients', 2)`, id)
		postgrestest.Exec(t, o.conn, `INSERT INTO etl.ledger VALUES ($1, 1, 'Stage', 'clients', 0)`, id)
		postgrestest.Exec(t, o.conn, `INSERT INTO etl.data_keys (import_id, ciphertext) VALUES ($1, 'x')`, id)
	}
	if _, err := o.db.Restart(t.Context(), numbered(importID, 1), false); err != nil {
		t.Fatal(err)
	}
	for i, l := range leaves {
		exists := postgrestest.Scan[bool](t, o.conn, `SELECT to_regclass($1) IS NOT NULL`, l.Table())
		if want := i == 3; exists != want {
			t.Errorf("%s exists: %v, want %v", l.Table(), exists, want)
		}
	}
	for _, table := range []string{"files", "errors", "rejects", "ledger"} {
		if got := postgrestest.Scan[string](t, o.conn, `SELECT string_agg(import_id, ',') FROM etl.`+table); got != other {
			t.Errorf("etl.%s has rows of %s, want of %s alone", table, got, other)
		}
	}
	if got := o.count(t, `SELECT count(*) FROM etl.data_keys`); got != 2 {
		t.Errorf("%d data keys, want both", got)
	}
}
