package registry

import (
	"context"
	"fmt"
	"time"

	"etl-dataloader/internal/etl"
)

// Automatic is what is known of the redrives that the system makes by itself.
type Automatic struct {
	Used  int       `dynamodbav:"used"`  // automatic attempts since the last progress
	Units int       `dynamodbav:"units"` // units that were finished at the last failure
	Limit int       `dynamodbav:"limit"` // most attempts without progress, at the last failure
	At    time.Time `dynamodbav:"at"`    // when the next one is planned; zero: none
	For   Moment    `dynamodbav:"for"`   // the moment after the one that was decided on; 0: none
}

// Decided tells whether it is decided if the failure that i shows is followed by
// an automatic redrive.
func (i Import) Decided() bool { return i.Automatic.For == i.Observed.Next() }

// follow keeps count of an attempt that begins: what was planned before is void.
func (a *Automatic) follow(trigger etl.Trigger) {
	a.At, a.For = time.Time{}, 0
	if trigger == etl.TriggerAutomatic {
		a.Used++
	}
}

// Units is how many units a generation has finished: a number that grows with
// every unit done, and with nothing else.
func (r *Registry) Units(ctx context.Context, importID string, generation int) (int, error) {
	units, err := query[key](ctx, r, importPK(importID), fmt.Sprintf("PROGRESS#%04d#", generation))
	return len(units), err
}

// PlanRedrive decides once whether the failure that seen shows is followed by an
// automatic redrive, and when: if fewer than limit were made since the last
// progress, after delay of the next one's number, on the full second. units is what [Registry.Units]
// says; more of them than at the failure before is progress. It returns the
// import as it is now, which may no longer be the one seen.
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
