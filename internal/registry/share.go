package registry

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// SharesFor is how long the shares of a source outlive the last lease. It is far
// longer than any function runs, so that no writer can mistake an item made anew for
// the one that it read.
const SharesFor = 24 * time.Hour

// shares is who may make how many calls to a source at the same time.
type shares struct {
	key
	Units    map[string]lease `dynamodbav:"units"`
	Revision int              `dynamodbav:"revision"`
	Expires  int64            `dynamodbav:"expires_at"`
}

// lease is the share of a unit.
type lease struct {
	Calls int       `dynamodbav:"calls"` // as the unit was told last
	Held  int       `dynamodbav:"held"`  // how many calls it may still have in flight; at least Calls
	Since time.Time `dynamodbav:"since"` // of its first lease without a gap
	Until time.Time `dynamodbav:"until"`
}

func sharesKey(source string) key { return key{PK: "SOURCE#" + source, SK: "SHARES"} }

// TakeShare gives a unit of work a share of the calls that a source takes at the same
// time, or renews it, and returns how many calls the unit may have in flight until
// lease has passed, counted from before it asked. A run of the unit that was killed
// leaves its share to the next run. All units together never have more than total, if
// each keeps to these rules:
//
//   - it has no call in flight after its lease: lease is longer than a call may take;
//   - when it is told fewer than before, it starts no call until as many have ended;
//   - it asks again only with no more calls in flight than it was told last. Only then
//     do others get what it gave up;
//   - an error tells it 0, because its new share may have been stored all the same.
//
// The fair share of each of n units is total/n. The remainder goes to those with the
// oldest leases. A unit gets less while others still hold more than theirs, at worst 0;
// it asks again soon. Once every unit has asked three times, each has its fair share.
// Leases that ended, and shares that were returned, go to the others.
func (r *Registry) TakeShare(ctx context.Context, source, unit string, total int, lease time.Duration) (calls int, err error) {
	err = r.changeShares(ctx, source, func(s *shares, now time.Time) bool {
		calls = s.take(unit, total, now, now.Add(lease))
		return true
	})
	if err != nil {
		return 0, err
	}
	return calls, nil
}

// ReturnShare gives back the share of a unit that has no call in flight any more. It
// may be repeated.
func (r *Registry) ReturnShare(ctx context.Context, source, unit string) error {
	return r.changeShares(ctx, source, func(s *shares, _ time.Time) bool {
		_, held := s.Units[unit]
		delete(s.Units, unit)
		return held
	})
}

// changeShares applies a change to the shares of a source. apply reports whether it
// changed anything. It may be called several times.
func (r *Registry) changeShares(ctx context.Context, source string, apply func(*shares, time.Time) bool) error {
	for range tries {
		s := shares{key: sharesKey(source)}
		found, err := r.get(ctx, s.key, &s)
		if err != nil {
			return err
		}
		if s.Units == nil {
			s.Units = map[string]lease{}
		}
		revision, now := s.Revision, r.now().UTC()
		if !apply(&s, now) {
			return nil
		}
		s.Revision++
		s.Expires = s.end(now).Add(SharesFor).Unix()
		w := write{item: s, condition: absent}
		if found {
			w.condition, w.values = revisionIs, revisionValue(revision)
		}
		failed, err := r.transact(ctx, w)
		if err != nil {
			return fmt.Errorf("registry: change the shares of source %s: %w", source, err)
		}
		if len(failed) == 0 {
			return nil
		}
	}
	return overtaken("change the shares of source " + source)
}

// take renews the lease of a unit, or begins one, and returns its calls.
func (s *shares) take(unit string, total int, now, until time.Time) int {
	for name, l := range s.Units {
		if !l.Until.After(now) {
			delete(s.Units, name)
		}
	}
	mine, renewed := s.Units[unit]
	if !renewed {
		mine.Since = now
	}
	s.Units[unit] = mine
	left := total
	for name, l := range s.Units {
		if name != unit {
			left -= l.Held
		}
	}
	calls := max(0, min(s.fair(unit, total), left))
	// It may have as many in flight as it was told before, until it asks again.
	s.Units[unit] = lease{Calls: calls, Held: max(calls, mine.Calls), Since: mine.Since, Until: until}
	return calls
}

// fair returns the fair share of one of the units.
func (s *shares) fair(unit string, total int) int {
	names := make([]string, 0, len(s.Units))
	for name := range s.Units {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(s.Units[a].Since.Compare(s.Units[b].Since), cmp.Compare(a, b))
	})
	share := total / len(names)
	if slices.Index(names, unit) < total%len(names) {
		share++
	}
	return share
}

// end returns when the last lease ends, at the earliest now.
func (s *shares) end(now time.Time) time.Time {
	for _, l := range s.Units {
		if l.Until.After(now) {
			now = l.Until
		}
	}
	return now
}
