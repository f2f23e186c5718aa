package control

import (
	"context"
	"errors"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/queue"
	"etl-dataloader/internal/registry"
)

// AdvancerConfig is what an [Advancer] needs; Reruns is mandatory.
type AdvancerConfig struct {
	Common
	Reruns Reruns // carries out the restart of an import whose refused files were corrected
}

// Advancer starts imports in the order of the queue. Like the other services it holds
// only its configuration, no state of any import, and is safe for concurrent use.
type Advancer struct {
	config AdvancerConfig
	runner runner
}

// NewAdvancer returns an advancer; it fails if a mandatory field is missing.
func NewAdvancer(config AdvancerConfig) (*Advancer, error) {
	if err := check("advancer", config.Common, []field{{"Reruns", config.Reruns != nil}}); err != nil {
		return nil, err
	}
	return newAdvancer(config.Common, config.Reruns), nil
}

func newAdvancer(common Common, reruns Reruns) *Advancer {
	return &Advancer{config: AdvancerConfig{Common: common, Reruns: reruns}, runner: runner{common}}
}

// rounds bounds the turns of one call. In each turn the call starts an import or
// finds that somebody else did.
const rounds = 5

// Advance starts the next import in the queue if the slot is free, resumes an import
// whose missing files have arrived, or restarts one whose refused files were
// corrected. trigger names the occasion.
//
// The queue puts initial dates before daily ones, then sorts by file date. An open
// import holds up the dates after it until it succeeds or is abandoned. So does a
// date that still lacks files, unless a later date is already published or it
// belongs to an initial import. No daily date starts before the initial import has
// succeeded (unless NoHistory), and no initial one after anything was published.
// Before starting a date, Advance looks in the landing bucket for the files of that
// date and of unpublished dates before it: notifications may be late, and an earlier
// date may be complete, too.
//
// Any number of callers may call it at any time; one of them acts. It fails with
// *fault.Transient if DynamoDB or Step Functions did not answer.
func (a *Advancer) Advance(ctx context.Context, trigger etl.Trigger) error {
	looked := false
	for range rounds {
		v, last, err := a.next(ctx)
		if err != nil {
			return err
		}
		switch v.Action {
		case queue.StartOver:
			return a.config.Reruns.Ask(ctx, restartCorrected(v.Import))
		case queue.Resume:
			_, err := a.runner.resume(ctx, v.Import, registry.Pending{Trigger: etl.TriggerFile})
			if _, refused := errors.AsType[*fault.Refused](err); refused {
				return nil
			}
			return err
		case queue.Start:
		default:
			return nil
		}
		if !looked {
			looked = true
			if err := a.lookFor(ctx, v.Date, last); err != nil {
				return err
			}
			continue // even if somebody else recorded the change
		}
		reason := trigger
		if len(v.Missing) > 0 {
			reason = etl.TriggerDeadline
		}
		imp, ok, err := a.config.Registry.Allot(ctx, v.Date, reason, a.config.executionARN)
		if err != nil {
			return err
		}
		if ok {
			return a.runner.start(ctx, imp, reason)
		}
		if holder, err := a.config.Registry.Slot(ctx); err != nil || holder != "" {
			return err
		}
	}
	return nil
}

// due reports whether a date may start, or an import go on, as soon as the slot is free.
func (a *Advancer) due(ctx context.Context) (bool, error) {
	v, _, err := a.next(ctx)
	return v.Action == queue.Start || v.Action == queue.Resume || v.Action == queue.StartOver, err
}

// next decides which date is next, and removes dates from the queue that no longer
// have any file. last is the latest published date; empty for none.
func (a *Advancer) next(ctx context.Context) (v queue.Verdict, last string, err error) {
	reader := queue.Reader{Source: a.config.Registry, Missing: a.config.Names.Missing}
	s, err := reader.Snapshot(ctx)
	if err != nil {
		return v, "", err
	}
	s.NoHistory, s.Latest = a.config.NoHistory, a.config.horizon().Latest()
	for {
		v, err := reader.Decide(ctx, s)
		if err != nil || v.Action != queue.Leave {
			return v, queue.Last(s.Published), err
		}
		left, err := a.config.Registry.LeaveEmpty(ctx, v.Date.Mode, v.Date.FileDate)
		switch {
		case err != nil:
			return queue.Verdict{}, "", err
		case left:
			s = s.Without(v.Date)
		default:
			s.Files[v.Date.Order()] = queue.Files{Missing: v.Missing, Stays: true}
		}
	}
}

// lookFor looks in the landing bucket for the files of a date that is about to
// start, and of the dates that would go before it. last is the latest published date.
func (a *Advancer) lookFor(ctx context.Context, e registry.Entry, last string) error {
	first := min(dayAfter(last),
		// a late date: it holds up no other
		e.FileDate)
	_, err := a.config.Landing.Look(ctx, e.Mode, first, e.FileDate)
	return err
}

// dayAfter returns the day after a date, or "" if there is no date.
func dayAfter(date string) string {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return ""
	}
	return day.AddDate(0, 0, 1).Format(time.DateOnly)
}

// restartCorrected returns the request for the restart that corrected files cause.
func restartCorrected(imp registry.Import) Request {
	return Request{ImportID: imp.ImportID, Mode: etl.KindRestart, Attempt: imp.Attempts}
}
