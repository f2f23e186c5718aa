package registry_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"etl-dataloader/internal/awstest/memory"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/registry/registrytest"
)

const (
	source = "clients"
	leased = time.Minute
)

func take(t *testing.T, r *registry.Registry, unit string, total int) int {
	t.Helper()
	calls, err := r.TakeShare(t.Context(), source, unit, total, leased)
	if err != nil {
		t.Fatalf("TakeShare of %s: %v", unit, err)
	}
	return calls
}

func giveBack(t *testing.T, r *registry.Registry, unit string) {
	t.Helper()
	if err := r.ReturnShare(t.Context(), source, unit); err != nil {
		t.Fatalf("ReturnShare of %s: %v", unit, err)
	}
}

// A newcomer gets what others gave up, once they have ended their calls. What a unit
// returns, and what one leaves behind that was killed, goes to the others.
func TestShares(t *testing.T) {
	r, clock := open(t)
	var got []string
	step := func(unit string) {
		got = append(got, fmt.Sprintf("%s %d", unit, take(t, r, unit, 8)))
		clock.Move(time.Second)
	}
	step("a") // alone
	step("b") // a still has everything
	step("a") // told its fair share, it may still have 8 in flight
	step("b")
	step("a") // asks again: now it has no more than 4
	step("b")
	step("c")
	for range 3 {
		step("c")
		step("b")
		step("a")
	}
	want := []string{"a 8", "b 0", "a 4", "b 0", "a 4", "b 4", "c 0", "c 0", "b 3", "a 3", "c 0", "b 3", "a 3", "c 2", "b 3", "a 3"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	giveBack(t, r, "b")
	giveBack(t, r, "b")
	if a, c := take(t, r, "a", 8), take(t, r, "c", 8); a != 4 || c != 4 {
		t.Errorf("after b has ended: %d and %d, want 4 and 4", a, c)
	}
	clock.Move(leased)
	if a := take(t, r, "a", 8); a != 8 {
		t.Errorf("after c was killed: %d, want 8", a)
	}
	if other, err := r.TakeShare(t.Context(), "stocks", "a", 3, leased); err != nil || other != 3 {
		t.Errorf("of another source: %d, %v", other, err)
	}
}

// More units than calls: some get none, until others end.
func TestSharesOfFewCalls(t *testing.T) {
	clock := &registrytest.Clock{}
	r := registry.New(&memory.Table{}, "registry", clock.Now)
	for n, want := range []int{2, 0, 0} {
		if got := take(t, r, fmt.Sprint(n), 2); got != want {
			t.Errorf("unit %d: %d, want %d", n, got, want)
		}
		clock.Move(time.Second)
	}
	for range 3 {
		for n := range 3 {
			take(t, r, fmt.Sprint(n), 2)
		}
	}
	if got := []int{take(t, r, "0", 2), take(t, r, "1", 2), take(t, r, "2", 2)}; !slices.Equal(got, []int{1, 1, 0}) {
		t.Errorf("shares %v, want those of the oldest leases", got)
	}
	giveBack(t, r, "0")
	if got := take(t, r, "2", 2); got != 1 {
		t.Errorf("after another has ended: %d, want 1", got)
	}
	if got := take(t, r, "1", 0); got != 0 {
		t.Errorf("of a source that takes no calls: %d", got)
	}
}

// The item goes by itself, but not before a day after its last lease.
func TestSharesExpire(t *testing.T) {
	clock := &registrytest.Clock{}
	table := &memory.Table{}
	r := registry.New(table, "registry", clock.Now)
	expires := func() string {
		out, err := table.GetItem(t.Context(), &dynamodb.GetItemInput{Key: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "SOURCE#" + source}, "sk": &types.AttributeValueMemberS{Value: "SHARES"},
		}})
		n, ok := out.Item["expires_at"].(*types.AttributeValueMemberN)
		if err != nil || !ok {
			t.Fatalf("%v, %v", out, err)
		}
		return n.Value
	}
	take(t, r, "a", 8)
	if want := fmt.Sprint(clock.Now().Add(leased + registry.SharesFor).Unix()); expires() != want {
		t.Errorf("expires at %s, want %s", expires(), want)
	}
	clock.Move(time.Second)
	giveBack(t, r, "a")
	if want := fmt.Sprint(clock.Now().Add(registry.SharesFor).Unix()); expires() != want {
		t.Errorf("returned, it expires at %s, want %s", expires(), want)
	}
}

// meddling is a table on which, between the reading and the writing of a change,
// somebody else does something, and whose write may fail, before or after it was
// stored.
type meddling struct {
	*memory.Table
	between func()
	fail    string
}

func (m *meddling) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	if between := m.between; between != nil {
		m.between = nil
		between()
	}
	fail := m.fail
	m.fail = ""
	if fail == "not saved" {
		return nil, errLost
	}
	out, err := m.Table.TransactWriteItems(ctx, in, o...)
	if err == nil && fail == "saved" {
		return nil, errLost
	}
	return out, err
}

// A unit whose answer is lost counts on nothing, and others on no more than it had.
func TestSharesThatFail(t *testing.T) {
	for _, fail := range []string{"not saved", "saved"} {
		t.Run(fail, func(t *testing.T) {
			clock := &registrytest.Clock{}
			table := &meddling{Table: &memory.Table{}}
			r := registry.New(table, "registry", clock.Now)
			failing := func(f func() error) {
				t.Helper()
				table.fail = fail
				if _, ok := errors.AsType[*fault.Transient](f()); !ok {
					t.Error("no transient fault")
				}
			}
			asks := func(unit string) func() error {
				return func() error {
					calls, err := r.TakeShare(t.Context(), source, unit, 8, leased)
					if calls != 0 {
						t.Errorf("%d calls and an error", calls)
					}
					return err
				}
			}
			failing(asks("a"))
			if got := take(t, r, "a", 8); got != 8 {
				t.Errorf("asked again: %d, want 8", got)
			}
			take(t, r, "b", 8)
			failing(asks("a")) // its calls may still be in flight
			if got := take(t, r, "b", 8); got != 0 {
				t.Errorf("b has %d while a may have 8 in flight", got)
			}
			for range 2 {
				take(t, r, "a", 8)
			}
			if got := take(t, r, "b", 8); got != 4 {
				t.Errorf("b has %d, want 4", got)
			}
			failing(func() error { return r.ReturnShare(t.Context(), source, "a") })
			giveBack(t, r, "a")
			if got := take(t, r, "b", 8); got != 8 {
				t.Errorf("b has %d of what a returned, want 8", got)
			}
		})
	}
}

// Who always loses gives up, and has nothing.
func TestSharesOvertaken(t *testing.T) {
	clock := &registrytest.Clock{}
	table := &meddling{Table: &memory.Table{}}
	r, others := registry.New(table, "registry", clock.Now), registry.New(table.Table, "registry", clock.Now)
	n := 0
	var meddle func()
	meddle = func() {
		n++
		take(t, others, fmt.Sprint(n), 8)
		table.between = meddle
	}
	table.between = meddle
	calls, err := r.TakeShare(t.Context(), source, "a", 8, leased)
	if _, ok := errors.AsType[*fault.Transient](err); !ok || calls != 0 {
		t.Errorf("%d, %v", calls, err)
	}
}

// unit is a unit of work that keeps to the rules of TakeShare.
type unit struct {
	name    string
	told    int       // the last answer; 0 after an error
	flying  int       // calls in flight: as many as it ever may
	until   time.Time // of the last lease that it knows of
	running bool
}

// night is a few units that share a source, and a clock.
type night struct {
	clock  *registrytest.Clock
	table  *meddling
	units  []*unit
	total  int
	begun  int
	inside *registry.Registry // for whoever acts in the middle of a change
	r      *registry.Registry
}

// ask lets a unit ask for its share, if the rules allow it.
func (n *night) ask(t *rapid.T, r *registry.Registry, u *unit) {
	if u.flying > u.told || !u.running {
		return
	}
	before := n.clock.Now()
	calls, err := r.TakeShare(context.Background(), source, u.name, n.total, leased)
	u.told, u.flying = calls, max(calls, u.flying)
	switch {
	case err == nil:
		u.until = before.Add(leased)
	case !errors.As(err, new(*fault.Transient)):
		t.Fatal(err)
	}
}

// giveBack ends a unit, as one that has finished does.
func (n *night) giveBack(r *registry.Registry, u *unit) {
	u.flying, u.told, u.running = 0, 0, false
	_ = r.ReturnShare(context.Background(), source, u.name) // if it fails, the lease ends by itself
}

// move moves the clock on. Calls have ended when a lease ends.
func (n *night) move(d time.Duration) {
	n.clock.Move(d)
	for _, u := range n.units {
		if !u.until.After(n.clock.Now()) {
			u.flying, u.told = 0, 0
		}
	}
}

// step does one thing, of those that may happen in a night.
func (n *night) step(t *rapid.T) {
	u := rapid.SampledFrom(n.units).Draw(t, "unit")
	switch rapid.SampledFrom([]string{"ask", "ask", "ask", "ask", "ask", "end", "end", "move", "return", "kill", "begin"}).Draw(t, "step") {
	case "ask":
		if rapid.IntRange(0, 3).Draw(t, "meddle") == 0 {
			other := rapid.SampledFrom(n.units).Draw(t, "other")
			returns := rapid.Bool().Draw(t, "returns")
			n.table.between = func() {
				switch {
				case other == u:
				case returns:
					n.giveBack(n.inside, other)
				default:
					n.ask(t, n.inside, other)
				}
			}
		}
		n.table.fail = rapid.SampledFrom([]string{"", "", "", "saved", "not saved"}).Draw(t, "fail")
		n.ask(t, n.r, u)
		n.table.between, n.table.fail = nil, ""
	case "end":
		u.flying = u.told
	case "move":
		n.move(time.Duration(rapid.IntRange(1, 70).Draw(t, "seconds")) * time.Second)
	case "return":
		n.giveBack(n.r, u)
	case "kill": // its calls go on until its lease ends
		u.running = false
	case "begin":
		n.begin()
	}
}

func (n *night) begin() {
	n.begun++
	n.units = append(n.units, &unit{name: fmt.Sprint("unit ", n.begun), running: true})
}

// TestSharesInAnyOrder: whatever happens, calls in flight never exceed the total; and
// when all is quiet again, each unit soon has its fair share, and together they have
// everything.
func TestSharesInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := &night{
			clock: &registrytest.Clock{}, table: &meddling{Table: &memory.Table{}},
			total: rapid.IntRange(0, 9).Draw(t, "total"),
		}
		for range 3 {
			n.begin()
		}
		n.r = registry.New(n.table, "registry", n.clock.Now)
		n.inside = registry.New(n.table.Table, "registry", n.clock.Now)
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			n.step(t)
			flying := 0
			for _, u := range n.units {
				flying += u.flying
			}
			if flying > n.total {
				t.Fatalf("%d calls in flight of %d", flying, n.total)
			}
		}
		n.move(2 * leased)
		n.units = slices.DeleteFunc(n.units, func(u *unit) bool { return !u.running })
		for range 3 {
			for _, u := range n.units {
				u.flying = 0
				n.ask(t, n.r, u)
			}
		}
		sum := 0
		for _, u := range n.units {
			sum += u.told
			if least := n.total / len(n.units); u.told != least && u.told != least+1 {
				t.Errorf("%s has %d of %d, shared by %d", u.name, u.told, n.total, len(n.units))
			}
		}
		if len(n.units) > 0 && sum != n.total {
			t.Errorf("all have %d of %d", sum, n.total)
		}
	})
}
