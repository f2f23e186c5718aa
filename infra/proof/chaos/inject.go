package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"etl-dataloader/infra/proof/stack"
)

// always is more often than any cell can strike.
const always = 1000

// injection is a fault on its way: what brings it about, and what ends it.
type injection struct {
	arm       func(context.Context) error               // before the files come
	meanwhile func(context.Context, stack.Import) error // once the import runs
	mend      func(context.Context) error               // before the redrive
	rerun     func(context.Context, stack.Import) error // how the failed import goes on
	after     func(context.Context) error               // once the re-execution was accepted
	finish    func(context.Context) error               // once the import has ended for good
	struck    func(context.Context) (int, error)        // how often the fault was met
}

func nothing(context.Context) error { return nil }

// inject prepares the fault of a cell.
func (s *system) inject(c cell) (injection, error) {
	i := injection{
		arm: nothing, mend: s.disarm, rerun: s.resumer(c), after: nothing, finish: nothing,
		meanwhile: func(context.Context, stack.Import) error { return nil },
		struck: func(ctx context.Context) (int, error) {
			now, err := s.tell(ctx, "DescribeFault", nil)
			return now.Struck, err
		},
	}
	kinds := map[string]struct {
		kind  string
		times int
	}{
		"error-before": {"fail", 1}, "answer-lost": {"lose", 1}, "timeout": {"late", always}, "twice": {"twice", always},
		"kms": {"refuse_kms", always}, "s3": {"refuse_s3", always}, "two-redrives": {"fail", 1},
	}
	if k, simple := kinds[c.fault.name]; simple {
		i.arm = s.arming(c.step, k.kind, k.times)
		if c.fault.name == "two-redrives" {
			i.rerun = func(ctx context.Context, imp stack.Import) error { return s.twoRedrives(ctx, c, imp) }
		}
		return i, nil
	}
	switch c.fault.name {
	case "killed":
		s.killed(c, &i)
	case "pg-restart":
		s.restarted(c.step, &i)
	case "pg-down":
		s.unreachable(c.step, &i)
	case "enrichment":
		i.arm = func(context.Context) error { return s.source.stop() }
		i.meanwhile = func(ctx context.Context, _ stack.Import) error {
			if err := until(ctx, "the import to wait for the source", func() (bool, error) {
				n, err := s.outages(ctx)
				return n > 0, err
			}); err != nil {
				return err
			}
			return s.source.start(ctx)
		}
		i.struck = s.outages
	case "stopped", "late-twin":
		s.stopped(c, &i)
	default:
		return i, fmt.Errorf("nothing is known of the fault %s", c.fault.name)
	}
	return i, nil
}

// arming arms a fault of the emulator.
func (s *system) arming(st step, kind string, times int) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := s.tell(ctx, "ArmFault", map[string]any{"kind": kind, "function": st.function, "where": st.where, "times": times})
		return err
	}
}

func (s *system) disarm(ctx context.Context) error {
	s.proxy.setDown(false)
	s.proxy.set(nil)
	_, err := s.tell(ctx, "DisarmFault", nil)
	return err
}

// trapped makes the trap's count the fault's.
func (s *system) trapped(i *injection, t *trap) {
	i.arm = func(context.Context) error {
		s.proxy.set(t)
		return nil
	}
	i.struck = func(context.Context) (int, error) { return s.proxy.count(t) }
}

// killed kills the step's process in the middle of its write.
func (s *system) killed(c cell, i *injection) {
	if c.atObject() {
		i.arm = s.arming(c.step, "kill_put", always)
		return
	}
	s.trapped(i, &trap{step: c.step.name, left: always, strike: func(l *link) bool {
		done, err := s.tell(context.Background(), "KillFunction", map[string]any{"port": l.clientPort(), "to": s.proxy.port()})
		if err != nil || done.Killed != 1 {
			s.proxy.fail(errors.Join(fmt.Errorf("%d processes were killed instead of one", done.Killed), err))
		}
		return false
	}})
}

// restarted crashes PostgreSQL in the middle of the step's transaction; Transform
// has none and is only about to begin.
func (s *system) restarted(st step, i *injection) {
	i.mend = func(ctx context.Context) error { return errors.Join(s.disarm(ctx), s.recovered(ctx)) }
	if st.commits {
		s.trapped(i, &trap{step: st.name, left: 1, strike: func(l *link) bool {
			if err := s.crash(context.Background(), l.serverPort()); err != nil {
				s.proxy.fail(fmt.Errorf("PostgreSQL was not restarted: %w", err))
			}
			return false
		}})
		return
	}
	i.arm = s.arming(st, "hold", 1)
	i.meanwhile = func(ctx context.Context, _ stack.Import) error {
		if err := s.awaitHeld(ctx); err != nil {
			return err
		}
		if err := s.crash(ctx, 0); err != nil {
			return err
		}
		_, err := s.tell(ctx, "ReleaseFault", nil)
		return err
	}
}

// crash kills a session's process, upon which the server ends all others at once
// and recovers from its log, as after `pg_ctl restart -m immediate`.
func (s *system) crash(ctx context.Context, clientPort int) error {
	conn, err := pgx.Connect(ctx, s.Env["DATABASE_URL"])
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	var pid int
	if err := conn.QueryRow(ctx, `SELECT coalesce((SELECT pid FROM pg_stat_activity WHERE client_port = $1), pg_backend_pid())`, clientPort).Scan(&pid); err != nil {
		return err
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	if err := process.Signal(os.Kill); err != nil {
		return err
	}
	if err := until(ctx, "PostgreSQL to crash", func() (bool, error) { return conn.Ping(ctx) != nil, nil }); err != nil {
		return err
	}
	return s.recovered(ctx)
}

// recovered waits until PostgreSQL accepts connections: on a busy machine its
// recovery may outlast all retries of the import that it broke.
func (s *system) recovered(ctx context.Context) error {
	return until(ctx, "PostgreSQL to recover", func() (bool, error) {
		again, err := pgx.Connect(ctx, s.Env["DATABASE_URL"])
		if err != nil {
			return false, nil //nolint:nilerr // not yet
		}
		return true, again.Close(ctx)
	})
}

// unreachable lets PostgreSQL be down from the moment when the step is reached.
func (s *system) unreachable(st step, i *injection) {
	refusals := 0
	i.arm = s.arming(st, "hold", 1)
	i.meanwhile = func(ctx context.Context, _ stack.Import) error {
		if err := s.awaitHeld(ctx); err != nil {
			return err
		}
		s.proxy.setDown(true)
		_, err := s.tell(ctx, "ReleaseFault", nil)
		return err
	}
	i.mend = func(ctx context.Context) error {
		refusals += s.proxy.refusals()
		return s.disarm(ctx)
	}
	i.struck = func(context.Context) (int, error) { return refusals, nil }
}

// stopped holds the step in the middle of its write, or before its call, stops
// the execution, and lets the step go on after the re-execution was accepted, or
// after a restart has succeeded.
func (s *system) stopped(c cell, i *injection) {
	var once sync.Once
	let := make(chan struct{})
	release := func(ctx context.Context) error {
		once.Do(func() { close(let) })
		_, err := s.tell(ctx, "ReleaseFault", nil)
		return err
	}
	restarts := c.fault.name == "late-twin"
	switch {
	case restarts && c.mode == "initial":
		i.arm = s.arming(c.step, "hold", 1)
	case !c.atObject():
		s.trapped(i, &trap{step: c.step.name, left: 1, strike: func(*link) bool {
			<-let
			return true
		}})
	default:
		i.arm = s.arming(c.step, "hold_put", 1)
	}
	i.mend = nothing
	i.meanwhile = func(ctx context.Context, imp stack.Import) error {
		if err := until(ctx, "the step to be held", func() (bool, error) {
			n, err := i.struck(ctx)
			return n > 0, err
		}); err != nil {
			return err
		}
		return s.stopExecution(ctx, imp)
	}
	i.after, i.finish = release, release
	if restarts {
		i.after = nothing
		i.rerun = func(ctx context.Context, imp stack.Import) error {
			refused, err := s.rerun(ctx, imp, "restart")
			if err == nil && refused {
				err = errors.New("the restart was refused")
			}
			return err
		}
	}
}

func (s *system) awaitHeld(ctx context.Context) error {
	return until(ctx, "the step to be held", func() (bool, error) {
		now, err := s.tell(ctx, "DescribeFault", nil)
		return now.Held > 0, err
	})
}

// outages counts the outages of the source that imports have noticed.
func (s *system) outages(ctx context.Context) (n int, err error) {
	conn, err := pgx.Connect(ctx, s.Env["DATABASE_URL"])
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(ctx) }()
	return n, conn.QueryRow(ctx, `SELECT count(*) FROM etl.enrichment_outages`).Scan(&n)
}

// state is the SQLSTATE of an error, if it has one.
func state(err error) string {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return server.Code
	}
	return ""
}
