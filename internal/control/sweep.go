package control

import (
	"context"
	"errors"
	"time"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/queue"
	"etl-dataloader/internal/registry"
)

// SweeperConfig is what a [Sweeper] needs; Reruns and Later are mandatory.
type SweeperConfig struct {
	Common
	Outcomes
	Reruns Reruns // carries out what needs the database
	Later  Later  // schedules the planned redrives

	Replays Replays

	DaysBack        int           // days from the due date to the local date of its deadline
	InitialDeadline time.Duration // from the first file of an initial import until the others count as missing; 0: none
}

// Sweeper makes up for what the other services missed.
type Sweeper struct {
	config    SweeperConfig
	runner    runner
	advancer  *Advancer
	watcher   watcher
	concluder concluder
	replayer  replayer
}

// NewSweeper returns a sweeper; it fails if a mandatory field is missing.
func NewSweeper(config SweeperConfig) (*Sweeper, error) {
	if err := check("sweeper", config.Common, config.Outcomes.mandatory(), config.Replays.mandatory(),
		[]field{{"Reruns", config.Reruns != nil}, {"Later", config.Later != nil}}); err != nil {
		return nil, err
	}
	return &Sweeper{
		config:    config,
		runner:    runner{config.Common},
		advancer:  newAdvancer(config.Common, config.Reruns),
		watcher:   watcher{runner{config.Common}, config.Histories},
		concluder: concluder{config.Common, config.Outcomes, config.Later},
		replayer:  replayer{config.Common, config.Outcomes, config.Replays},
	}, nil
}

// SweepEvent is the input of the sweep's schedules.
type SweepEvent struct {
	Deadline bool      `json:"deadline,omitempty"` // the deadline of a date has passed
	Time     time.Time `json:"time,omitzero"`      // scheduled time; zero: now
}

// Swept is what a sweep found.
type Swept struct {
	Arrivals int    `json:"arrivals"`      // differences between the bucket and the registry
	Open     int    `json:"open"`          // imports that were checked
	Due      string `json:"due,omitempty"` // the file date whose deadline passed
}

// Sweep makes up for every lost notification and every interrupted call. What must
// not be late comes first: deadlines, open imports, imports that may start, ends
// that could not be reported before. If event.Deadline is set it marks the date that
// is due, so that its import starts even if files are missing and fails with their
// names. The landing bucket comes last, in bounded time whatever it holds. A failure
// with one import, or in one of these duties, does not stop the others; the errors
// are joined.
func (s *Sweeper) Sweep(ctx context.Context, event SweepEvent) (Swept, error) {
	var swept Swept
	due, dueErr := s.deadline(ctx, event, &swept)
	initial, initialErr := s.initialDeadline(ctx)
	ended, followErr := s.followAll(ctx, &swept)
	replaysErr := s.followReplays(ctx)
	return swept, errors.Join(dueErr, initialErr, followErr, replaysErr,
		s.freeSlot(ctx),
		s.advancer.Advance(ctx, etl.TriggerAutomatic),
		s.tellAll(ctx, ended),
		s.tellWaiting(ctx, append(initial, due...)),
		s.tellIncomplete(ctx),
		s.lookAround(ctx, &swept))
}

// followAll compares every open import with its execution, and returns those whose
// end is to be reported.
func (s *Sweeper) followAll(ctx context.Context, swept *Swept) ([]registry.Import, error) {
	dates, err := s.config.Registry.Queue(ctx)
	if err != nil {
		return nil, err
	}
	var trouble []error
	var ended []registry.Import
	for _, e := range dates {
		if e.ImportID == "" {
			continue
		}
		swept.Open++
		imp, end, err := s.lookAt(ctx, e.ImportID)
		trouble = append(trouble, err)
		if end {
			ended = append(ended, imp)
		}
	}
	return ended, errors.Join(trouble...)
}

// followReplays compares every open replay with its execution, and reports those that
// ended.
func (s *Sweeper) followReplays(ctx context.Context) error {
	ids, err := s.config.Registry.Replays(ctx)
	trouble := []error{err}
	for _, id := range ids {
		trouble = append(trouble, s.followReplay(ctx, id))
	}
	return errors.Join(trouble...)
}

func (s *Sweeper) followReplay(ctx context.Context, importID string) error {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	imp, err := s.config.Registry.Import(ctx, importID)
	if err != nil {
		return err
	}
	attempts := imp.Attempts
	imp, ended, err := s.replayer.follow(ctx, imp)
	if imp.Attempts > attempts { // redriven in the console
		record(ctx, s.config.Reruns, s.config.Log, imp)
	}
	if err != nil || !ended {
		return err
	}
	return s.replayer.tell(ctx, imp)
}

// lookAround records files whose notification was lost, and then starts whatever
// may start.
func (s *Sweeper) lookAround(ctx context.Context, swept *Swept) error {
	ahead, aheadErr := s.lookAhead(ctx)
	walked, walkErr := s.config.Landing.Walk(ctx)
	var err error
	if swept.Arrivals = ahead + walked; swept.Arrivals > 0 {
		err = s.advancer.Advance(ctx, etl.TriggerAutomatic)
	}
	return errors.Join(aheadErr, walkErr, err)
}

// lookAhead looks in the landing bucket for the files of all dates still to come:
// daily ones after the latest published date and, before anything is published,
// initial ones.
func (s *Sweeper) lookAhead(ctx context.Context) (changed int, err error) {
	published, err := s.config.Registry.Published(ctx)
	if err != nil {
		return 0, err
	}
	latest := s.config.horizon().Latest()
	changed, err = s.config.Landing.Look(ctx, etl.ModeDaily, dayAfter(queue.Last(published)), latest)
	if len(published) > 0 {
		return changed, err
	}
	n, initialErr := s.config.Landing.Look(ctx, etl.ModeInitial, "", latest)
	return changed + n, errors.Join(err, initialErr)
}

// lookLimit bounds the time that a sweep spends on one import, so that a slow one
// leaves time for the others.
const lookLimit = 20 * time.Second

// lookAt follows an import and finishes what was begun with it and interrupted.
// ended reports whether its end is to be reported.
func (s *Sweeper) lookAt(ctx context.Context, importID string) (imp registry.Import, ended bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	if imp, err = s.config.Registry.Import(ctx, importID); err != nil {
		return imp, false, err
	}
	if imp, ended, err = s.watcher.follow(ctx, imp); err != nil {
		return imp, ended, err
	}
	copyState(ctx, s.config.Reruns, s.config.Log, imp)
	return imp, ended, errors.Join(s.overdue(ctx, imp), s.unfinished(ctx, imp))
}

// lostAfter is how long a planned redrive may be overdue before its schedule counts
// as lost. It exceeds EventBridge Scheduler's precision of a minute plus the
// function's start-up time.
const lostAfter = 5 * time.Minute

// overdue resumes a failed import whose planned redrive never came because its
// schedule was lost or could not be created.
func (s *Sweeper) overdue(ctx context.Context, imp registry.Import) error {
	at := imp.Automatic.At
	if imp.Status != etl.StatusFailed || at.IsZero() || s.config.Now().Sub(at) < lostAfter {
		return nil
	}
	_, err := s.runner.resume(ctx, imp, registry.Pending{Trigger: etl.TriggerAutomatic})
	if _, refused := errors.AsType[*fault.Refused](err); refused {
		return nil // somebody else got there first
	}
	return err
}

// unfinished withdraws a claim whose owner died before the re-execution began, as
// the claim may hold the slot. The import stays as it was and may be claimed again.
func (s *Sweeper) unfinished(ctx context.Context, imp registry.Import) error {
	if imp.Status == etl.StatusRunning || imp.Pending.Kind == "" || s.config.Now().Sub(imp.Pending.At) < registry.PendingFor {
		return nil
	}
	return s.config.Registry.Withdraw(ctx, imp)
}

// tellLimits bounds the time that a sweep spends on reporting ends. The next sweep
// reports the rest.
const tellLimits = 90 * time.Second

// tellAll reports the ends of imports.
func (s *Sweeper) tellAll(ctx context.Context, ended []registry.Import) error {
	ctx, cancel := context.WithTimeout(ctx, tellLimits)
	defer cancel()
	trouble := make([]error, 0, len(ended))
	for _, imp := range ended {
		trouble = append(trouble, s.concluder.tell(ctx, imp))
	}
	return errors.Join(trouble...)
}

// freeSlot releases the slot if its holder is finished or unknown to the registry.
// That happens when the withdrawal of a claim failed and its import was no longer in
// the queue.
func (s *Sweeper) freeSlot(ctx context.Context) error {
	holder, err := s.config.Registry.Slot(ctx)
	if err != nil || holder == "" {
		return err
	}
	freed, err := s.config.Registry.FreeSlot(ctx, holder)
	if freed {
		s.config.Log.WarnContext(ctx, LogSlotFreed, centrallog.ImportID(holder), centrallog.Step(etl.StepRerun))
	}
	return err
}
