package fault

import (
	"context"
	"sync"
	"time"

	"github.com/aws/smithy-go/middleware"
)

// How long a refused action is retried: a new role, policy or grant takes a
// few seconds until every server of a service knows it (IAM User Guide, "Changes
// that I make are not always immediately visible").
const (
	patienceLimit = 10 * time.Second
	firstPause    = 250 * time.Millisecond
	longestPause  = 2 * time.Second
	// forget is how long an action that stayed refused is not retried again, so
	// that a hundred refused alerts cost ten seconds and not a quarter of an hour.
	forget = 5 * time.Minute
)

// Patience retries refused actions for ten seconds. It remembers which actions stayed
// refused, and does not retry those again for five minutes. It is safe for concurrent
// use. A nil Patience tries once.
type Patience struct {
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error // returns early with the context's error

	mu      sync.Mutex
	refused map[string]time.Time // by action: when it was given up
}

// NewPatience returns a Patience that uses the real clock.
func NewPatience(now func() time.Time) *Patience {
	return &Patience{Now: now, Sleep: sleep}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Try calls try until it is no longer refused, or until ten seconds have passed since
// the first refusal. Patience remembers action, one of few names, such as an operation
// of a service.
func (p *Patience) Try(ctx context.Context, action string, try func() (refused bool)) {
	if !try() || p == nil || p.gaveUp(action) {
		return
	}
	end := p.Now().Add(patienceLimit)
	for pause := firstPause; p.Now().Before(end); pause = min(2*pause, longestPause) {
		if p.Sleep(ctx, pause) != nil {
			return
		}
		if !try() {
			return
		}
	}
	p.giveUp(action)
}

func (p *Patience) gaveUp(action string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.refused[action]
	return ok && p.Now().Sub(at) < forget
}

func (p *Patience) giveUp(action string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refused == nil {
		p.refused = make(map[string]time.Time)
	}
	p.refused[action] = p.Now()
}

// ForAWS makes the clients of a configuration patient; it is one of the SDK's
// APIOptions. A request whose body cannot be read a second time is sent once.
func (p *Patience) ForAWS(stack *middleware.Stack) error {
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("WaitForPermission",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
			action := middleware.GetServiceID(ctx) + "." + middleware.GetOperationName(ctx)
			first := true
			p.Try(ctx, action, func() bool {
				if !first && rewind(in.Request) != nil {
					return false
				}
				first = false
				out, metadata, err = next.HandleFinalize(ctx, in)
				return err != nil && Denied(err)
			})
			return out, metadata, err
		}), "Retry", middleware.Before)
}

// rewind resets the body of a request to its start.
func rewind(request any) error {
	if body, ok := request.(interface{ RewindStream() error }); ok {
		return body.RewindStream()
	}
	return nil
}
