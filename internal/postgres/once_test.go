package postgres_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres"
	"etl-dataloader/internal/postgres/postgrestest"
)

// result is what a unit stores.
type result struct {
	Rows int64  `json:"rows"`
	Note string `json:"note,omitempty"`
}

func unit(chunk int) postgres.Unit {
	return postgres.Unit{ImportID: importID, Generation: 1, Phase: "Stage", Resource: "clients", Chunk: chunk}
}

// note writes one row and returns a result that names it.
func note(text string) func(context.Context, *postgres.Tx) (result, error) {
	return func(ctx context.Context, tx *postgres.Tx) (result, error) {
		_, err := tx.Execute(ctx, `INSERT INTO public.written VALUES ($1)`, text)
		return result{Rows: 1, Note: text}, err
	}
}

func TestOnceReturnsTheStoredResult(t *testing.T) {
	t.Parallel()
	o := open(t)
	for range 3 {
		got, err := postgres.Once(t.Context(), o.db, unit(0), note("first"))
		if want := (result{1, "first"}); err != nil || got != want {
			t.Fatalf("got %+v, %v; want %+v", got, err, want)
		}
	}
	got, err := postgres.Once(t.Context(), o.db, unit(0), func(context.Context, *postgres.Tx) (result, error) {
		t.Error("a unit that was persisted is written again")
		return result{}, nil
	})
	if err != nil || got.Note != "first" {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := postgres.Once(t.Context(), o.db, unit(1), note("another chunk")); err != nil {
		t.Fatal(err)
	}
	if o.written(t) != 2 || o.ledger(t) != 2 {
		t.Errorf("%d rows, %d ledger rows, want 2 of each", o.written(t), o.ledger(t))
	}
}

func TestOnceFromNamesTheObject(t *testing.T) {
	t.Parallel()
	o := open(t)
	want := postgres.Object{Key: "k/000000.copy", VersionID: "v1", Checksum: "abc"}
	if _, ok, err := o.db.LedgerObject(t.Context(), unit(0)); ok || err != nil {
		t.Errorf("a unit that was not persisted has an object: %v", err)
	}
	if _, err := postgres.OnceFrom(t.Context(), o.db, unit(0), want, note("x")); err != nil {
		t.Fatal(err)
	}
	got, ok, err := o.db.LedgerObject(t.Context(), unit(0))
	if err != nil || !ok || got != want {
		t.Errorf("got %+v, %v, %v; want %+v", got, ok, err, want)
	}
	if _, err := postgres.Once(t.Context(), o.db, unit(1), note("y")); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := o.db.LedgerObject(t.Context(), unit(1)); ok || err != nil {
		t.Errorf("a unit without an object has one: %v", err)
	}
}

// TestOnceFailedNotSaved: an error in a write leaves nothing, whatever was
// written before it, and the unit can be done then.
func TestOnceFailedNotSaved(t *testing.T) {
	t.Parallel()
	o := open(t)
	broken := errors.New("the source broke")
	for name, write := range map[string]func(context.Context, *postgres.Tx) (result, error){
		"an error of the caller": func(ctx context.Context, tx *postgres.Tx) (result, error) {
			r, err := note("half")(ctx, tx)
			return r, errors.Join(err, broken)
		},
		"an error of the server": func(ctx context.Context, tx *postgres.Tx) (result, error) {
			if _, err := note("half")(ctx, tx); err != nil {
				return result{}, err
			}
			_, err := tx.Execute(ctx, `INSERT INTO public.written VALUES (NULL)`)
			return result{Rows: 2}, err
		},
	} {
		if _, err := postgres.Once(t.Context(), o.db, unit(0), write); err == nil {
			t.Errorf("%s is not reported", name)
		}
		if o.written(t) != 0 || o.ledger(t) != 0 {
			t.Errorf("%s leaves %d rows and %d ledger rows", name, o.written(t), o.ledger(t))
		}
	}
	if got, err := postgres.Once(t.Context(), o.db, unit(0), note("whole")); err != nil || got.Note != "whole" {
		t.Errorf("got %+v, %v", got, err)
	}
	if o.written(t) != 1 {
		t.Errorf("%d rows, want 1", o.written(t))
	}
}

// TestOnceConcurrentTwins: of two runs of one unit at once, one writes and the
// other is given what it stored.
func TestOnceConcurrentTwins(t *testing.T) {
	t.Parallel()
	o := open(t)
	other := server.Open(t, o.url)
	inside, release := make(chan struct{}), make(chan struct{})
	type outcome struct {
		result
		err error
	}
	first, second := make(chan outcome, 1), make(chan outcome, 1)
	go func() {
		r, err := postgres.Once(t.Context(), o.db, unit(0), func(ctx context.Context, tx *postgres.Tx) (result, error) {
			close(inside)
			<-release
			return note("first")(ctx, tx)
		})
		first <- outcome{r, err}
	}()
	<-inside
	go func() {
		r, err := postgres.Once(t.Context(), other, unit(0), note("second"))
		second <- outcome{r, err}
	}()
	o.waitBlocked(t)
	close(release)
	for _, got := range []outcome{<-first, <-second} {
		if got.err != nil || got.Note != "first" {
			t.Errorf("got %+v", got)
		}
	}
	if o.written(t) != 1 || o.ledger(t) != 1 {
		t.Errorf("%d rows, %d ledger rows, want 1 of each", o.written(t), o.ledger(t))
	}
}

// TestOnceTwinOfAFailure: a twin that waited for a run that then fails does the
// work itself.
func TestOnceTwinOfAFailure(t *testing.T) {
	t.Parallel()
	o := open(t)
	other := server.Open(t, o.url)
	inside, release := make(chan struct{}), make(chan struct{})
	first, second := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := postgres.Once(t.Context(), o.db, unit(0), func(context.Context, *postgres.Tx) (result, error) {
			close(inside)
			<-release
			return result{}, errors.New("the first run breaks")
		})
		first <- err
	}()
	<-inside
	go func() {
		_, err := postgres.Once(t.Context(), other, unit(0), note("second"))
		second <- err
	}()
	o.waitBlocked(t)
	close(release)
	if err := <-first; err == nil {
		t.Error("the first run does not fail")
	}
	if err := <-second; err != nil {
		t.Errorf("the second run: %v", err)
	}
	if o.written(t) != 1 {
		t.Errorf("%d rows, want 1", o.written(t))
	}
}

// TestCommitLost is the failure table of a write whose commit gets no answer: the
// caller cannot know whether it happened, so it gets a Transient fault, and the
// retry finds out.
func TestCommitLost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lose   postgrestest.Loss
		writes int
	}{
		"failed, not persisted": {postgrestest.LoseRequest, 2},
		"failed, but persisted": {postgrestest.LoseAnswer, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := open(t)
			p := postgrestest.Listen(t, o.url)
			db := server.Open(t, p.URL)
			writes := 0
			write := func(ctx context.Context, tx *postgres.Tx) (result, error) {
				writes++
				return note("once")(ctx, tx)
			}
			p.Lose(c.lose)
			if _, err := postgres.Once(t.Context(), db, unit(0), write); !isTransient(err) {
				t.Fatalf("got %v, want a Transient fault", err)
			}
			got, err := postgres.Once(t.Context(), db, unit(0), write)
			if want := (result{1, "once"}); err != nil || !cmp.Equal(got, want) {
				t.Errorf("the retry returns %+v, %v; want %+v", got, err, want)
			}
			if writes != c.writes {
				t.Errorf("%d writes, want %d", writes, c.writes)
			}
			if o.written(t) != 1 || o.ledger(t) != 1 {
				t.Errorf("%d rows, %d ledger rows, want 1 of each", o.written(t), o.ledger(t))
			}
		})
	}
}

// TestConnectionEnds: a session that the server ends is a Transient fault, and
// the next use makes a new one.
func TestConnectionEnds(t *testing.T) {
	t.Parallel()
	o := open(t)
	_, err := postgres.Once(t.Context(), o.db, unit(0), func(ctx context.Context, tx *postgres.Tx) (result, error) {
		pid, err := tx.Count(ctx, `SELECT pg_backend_pid()`)
		if err != nil {
			return result{}, err
		}
		postgrestest.Exec(t, o.conn, `SELECT pg_terminate_backend($1, 5000)`, pid)
		return note("never")(ctx, tx)
	})
	if !isTransient(err) {
		t.Errorf("got %v, want a Transient fault", err)
	}
	if _, err := postgres.Once(t.Context(), o.db, unit(0), note("again")); err != nil {
		t.Error(err)
	}
	if o.written(t) != 1 {
		t.Errorf("%d rows, want 1", o.written(t))
	}
}

func isTransient(err error) bool {
	_, ok := errors.AsType[*fault.Transient](err)
	return ok
}

func isSuperseded(err error) bool {
	_, ok := errors.AsType[*fault.Superseded](err)
	return ok
}
