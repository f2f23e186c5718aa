package registry

import (
	"context"
	"fmt"
	"time"

	"etl-dataloader/internal/etl"
)

// Automatic is the state of an import's automatic redrives.
type Automatic struct {
	Used  int       `dynamodbav:"used"`  // automatic attempts since the last progress
	Units int       `dynamodbav:"units"` // units finished at the last failure
	Limit int       `dynamodbav:"limit"` // attempts allowed without progress, at the last failure
	At    time.Time `dynamodbav:"at"`    // when the next one is planned; zero: none
	For   Moment    `dynamodbav:"for"`   // the moment after the one that the decision is about; 0: none
}

// Decided reports whether somebody has decided if an automatic redrive follows the
// failure that i shows.
func (i Import) Decided() bool { return i.Automatic.For == i.Observed.Next() }

// follow counts an attempt that begins. It cancels what was planned before.
func (a *Automatic) follow(trigger etl.Trigger) {
	a.At, a.For = time.Time{}, 0
	if trigger == etl.TriggerAutomatic {
		a.Used++
	}
}

// Units returns how many units a generation has finished. The number grows with
// every finished unit, and with nothing else.
func (r *Registry) Units(ctx context.Context, importID string, generation int) (int, error) {
	units, err := query[key](ctx, r, importPK(importID), fmt.Sprintf("PROGRESS#%04d#", generation))
	return len(units), err
}

// PlanRedrive decides, once, whether an automatic redrive follows the failure that
// seen shows, and when. It plans redrive number n after delay(n), on the full
// second, if fewer than limit were made since the last progress. units is the result
// of [Registry.Units]; progress means that it has grown since the previous failure.
// PlanRedrive returns the import as it is now, which may no longer be the one seen.
func (r *Registry) PlanRedrive(ctx context.Context, seen Import, units, limit int, delay func(n int) time.Duration) (Import, error) {
	imp, _, err := r.change(ctx, seen.ImportID, func(i *Import) ([]write, error) {
		if i.ExecutionARN != seen.ExecutionARN || i.Observed != seen.Observed || i.Status != etl.StatusFailed || i.Decided() {
			return nil, errUnchanged
		}
		a := &i.Automatic
		if units > a.Units {
			a.Used = 0
		}
		a.Units, a.Limit, a.For, a.At = units, limit, i.Observed.Next(), time.Time{}
		if a.Used < limit {
			a.At = r.now().UTC().Add(delay(a.Used+1) + time.Second - 1).Truncate(time.Second)
		}
		return nil, nil
	}, nil)
	return imp, err
}
