package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres"
)

// hold holds a key whose check value consists of one letter.
func hold(letter string) func(context.Context, *postgres.Tx) (result, error) {
	return func(ctx context.Context, tx *postgres.Tx) (result, error) {
		return result{Note: letter}, tx.HoldTokenKey(ctx, 1, []byte(strings.Repeat(letter, 16)))
	}
}

func isTokenKeyChanged(err error) bool {
	changed, ok := errors.AsType[*fault.TokenKeyChanged](err)
	return ok && changed.ImportID == importID && changed.First == importID
}

// TestHoldTokenKey: the first key stays, and another one is refused.
func TestHoldTokenKey(t *testing.T) {
	t.Parallel()
	o := open(t)
	for i, c := range []struct {
		letter  string
		refused bool
	}{{"a", false}, {"a", false}, {"b", true}, {"a", false}} {
		if _, err := postgres.Once(t.Context(), o.db, unit(i), hold(c.letter)); err != nil && !c.refused || isTokenKeyChanged(err) != c.refused {
			t.Errorf("%d, key %s: %v", i, c.letter, err)
		}
	}
	if o.ledger(t) != 3 {
		t.Errorf("%d ledger rows, want 3", o.ledger(t))
	}
}

// TestHoldTwoTokenKeys: two imports use their keys for the first time at once. The second
// waits for the first, and is refused if that commits.
func TestHoldTwoTokenKeys(t *testing.T) {
	t.Parallel()
	broken := errors.New("the first breaks")
	for name, fails := range map[string]error{"the first commits": nil, "the first fails": broken} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := open(t)
			other := server.Open(t, o.url)
			inside, release := make(chan struct{}), make(chan struct{})
			first, second := make(chan error, 1), make(chan error, 1)
			go func() {
				_, err := postgres.Once(t.Context(), o.db, unit(0), func(ctx context.Context, tx *postgres.Tx) (result, error) {
					r, err := hold("a")(ctx, tx)
					close(inside)
					<-release
					return r, errors.Join(err, fails)
				})
				first <- err
			}()
			<-inside
			go func() {
				_, err := postgres.Once(t.Context(), other, unit(1), hold("b"))
				second <- err
			}()
			o.waitBlocked(t)
			close(release)
			if err := <-first; !errors.Is(err, fails) {
				t.Errorf("the first: %v", err)
			}
			if err := <-second; isTokenKeyChanged(err) != (fails == nil) || fails != nil && err != nil {
				t.Errorf("the second: %v", err)
			}
		})
	}
}
