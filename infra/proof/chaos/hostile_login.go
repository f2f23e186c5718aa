package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/etl"
)

// squatter is a login that has been granted nothing and uses what everybody may:
// it connects, calls its sessions as the import's are called, keeps a snapshot,
// takes the locks that it may take, and tries to put functions in the way.
func squatter(ctx context.Context, h *hostile) error {
	if err := h.failAt(ctx, "Stage"); err != nil {
		return err
	}
	name := fmt.Sprintf("etl:%s:g%d", h.imp.ImportID, h.imp.Generation)
	login, err := h.squat(ctx, name)
	if err != nil {
		return err
	}
	err = h.ask(ctx, "restart")
	if err == nil {
		err = h.await(ctx, etl.StatusSucceeded, h.imp.Attempts+1)
	}
	return errors.Join(err, login.end(ctx))
}

// squatting are the sessions of the login.
type squatting struct {
	system   *system
	sessions []*pgx.Conn
}

// squatRole is the login's name.
const squatRole = "squatter"

// squat makes the login and its sessions.
func (s *system) squat(ctx context.Context, name string) (*squatting, error) {
	q := &squatting{system: s}
	if err := s.asSuperuser(ctx, "postgres", `DO $$ BEGIN
		CREATE ROLE `+squatRole+` LOGIN PASSWORD 'squatter';
		EXCEPTION WHEN duplicate_object THEN NULL; END $$;
		GRANT CONNECT ON DATABASE etl TO `+squatRole); err != nil {
		return nil, err
	}
	u, err := url.Parse(s.Env["DATABASE_URL"])
	if err != nil {
		return nil, errors.New("DATABASE_URL of the stack is no URL")
	}
	u.User = url.UserPassword(squatRole, "squatter")
	const sessions = 4
	for range sessions {
		conn, err := pgx.Connect(ctx, u.String())
		if err != nil {
			return q, errors.Join(err, q.end(ctx))
		}
		q.sessions = append(q.sessions, conn)
		if _, err := conn.Exec(ctx, `SELECT set_config('application_name', $1, false)`, name); err != nil {
			return q, errors.Join(err, q.end(ctx))
		}
	}
	// What is refused was not to be had; what is granted must not matter.
	for i, statement := range []string{
		`BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class`,
		`SELECT pg_advisory_lock(n) FROM generate_series(1, 100) n`,
		`CREATE FUNCTION public.right(text, bigint) RETURNS text LANGUAGE sql AS $$ SELECT 1/0 || '' $$`,
		`BEGIN; LOCK TABLE final.clients IN ACCESS SHARE MODE`,
	} {
		_, _ = q.sessions[i].Exec(ctx, statement)
	}
	return q, nil
}

// end ends the sessions.
func (q *squatting) end(ctx context.Context) error {
	var trouble error
	for _, conn := range q.sessions {
		trouble = errors.Join(trouble, conn.Close(ctx))
	}
	return trouble
}

// asSuperuser runs a statement as the owner of the embedded server.
func (s *system) asSuperuser(ctx context.Context, database, statement string) error {
	conn, err := pgx.Connect(ctx, s.Superuser(database))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
