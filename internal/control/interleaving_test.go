package control_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/awstest/memory"
	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/registry"
)

// actor marks the context of the one whose calls are counted.
type actor struct{}

// interposer lets something else happen, from beginning to end, right after the
// nth call that the actor makes to DynamoDB or Step Functions. Tried for every n,
// it is every way in which two requests may interleave, if one of them is fast.
type interposer struct {
	after int
	then  func()
	calls int
}

func (p *interposer) returned(ctx context.Context) {
	if ctx.Value(actor{}) == nil {
		return
	}
	if p.calls++; p.calls == p.after {
		p.then()
	}
}

// table is DynamoDB with the interposer behind every call.
type table struct {
	*memory.Table
	at *interposer
}

func (d table) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	defer d.at.returned(ctx)
	return d.Table.BatchGetItem(ctx, in, o...)
}

func (d table) GetItem(ctx context.Context, in *dynamodb.GetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	defer d.at.returned(ctx)
	return d.Table.GetItem(ctx, in, o...)
}

func (d table) Query(ctx context.Context, in *dynamodb.QueryInput, o ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	defer d.at.returned(ctx)
	return d.Table.Query(ctx, in, o...)
}

func (d table) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	defer d.at.returned(ctx)
	return d.Table.PutItem(ctx, in, o...)
}

func (d table) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	defer d.at.returned(ctx)
	return d.Table.TransactWriteItems(ctx, in, o...)
}

// opening is the fake state machine with the interposer behind every call, none
// of which is made once its context is cancelled. If strict, its executions run
// Open as early as can be: one that finds files missing has failed before the call
// that started it returns.
type opening struct {
	*machine
	house  *house
	at     *interposer
	strict bool
}

func (m opening) open(arn string) {
	if !m.strict {
		return
	}
	imp := m.house.current(arn)
	arrivals, err := m.house.registry.Arrivals(m.house.t.Context(), imp.Mode, imp.FileDate)
	if err != nil {
		m.house.t.Errorf("open: %v", err)
	}
	if len(arrivals) < len(two) {
		m.end(arn, failed, "MissingFiles", "")
	}
}

func (m opening) StartExecution(ctx context.Context, in *sfn.StartExecutionInput, o ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error) {
	defer m.at.returned(ctx)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	before := m.count()
	out, err := m.machine.StartExecution(ctx, in, o...)
	if err == nil && m.count() > before {
		m.open(*out.ExecutionArn)
	}
	return out, err
}

func (m opening) RedriveExecution(ctx context.Context, in *sfn.RedriveExecutionInput, o ...func(*sfn.Options)) (*sfn.RedriveExecutionOutput, error) {
	defer m.at.returned(ctx)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out, err := m.machine.RedriveExecution(ctx, in, o...)
	if err == nil {
		m.open(*in.ExecutionArn)
	}
	return out, err
}

func (m opening) DescribeExecution(ctx context.Context, in *sfn.DescribeExecutionInput, o ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	defer m.at.returned(ctx)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return m.machine.DescribeExecution(ctx, in, o...)
}

// count is how many executions there are.
func (m *machine) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.executions)
}

// running lists the executions that run, by the last part of their ARN.
func (m *machine) running() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	names := []string{}
	for arn, e := range m.executions {
		if e.status == sfntypes.ExecutionStatusRunning {
			names = append(names, executionName(arn))
		}
	}
	slices.Sort(names)
	return names
}

// two are the files of the houses below: fewer than ten, so that many houses are
// quick to build.
var two = types[:2]

// interposed opens a house for two files whose calls to DynamoDB and Step
// Functions p counts.
func interposed(t *testing.T, p *interposer) *house {
	t.Helper()
	h := open(t)
	h.registry = registry.New(table{h.table, p}, "registry", h.clock.Now)
	names, err := landing.NewNames(two)
	if err != nil {
		t.Fatal(err)
	}
	h.rebuild(func(s *setup) {
		s.Registry, s.Names, s.Executions = h.registry, names, stateMachine(t, opening{h.machine, h, p, true})
	})
	return h
}

// current is the import of an execution.
func (h *house) current(arn string) registry.Import {
	h.t.Helper()
	return h.load(executionName(arn)[:len("IMPORT_20241009_150000_001")])
}

// executionName is the last part of an execution's ARN.
func executionName(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }

// eachInterleaving calls try with n = 1, 2, 3 … until the actor made fewer calls
// than n; so the last one is that of the two in a row.
func eachInterleaving(t *testing.T, try func(t *testing.T, p *interposer)) {
	t.Helper()
	for n := 1; ; n++ {
		p := &interposer{after: n}
		t.Run(fmt.Sprintf("after call %d", n), func(t *testing.T) { try(t, p) })
		if p.calls < n || t.Failed() {
			return
		}
	}
}

// The last file comes in the very second of the deadline. Whoever is in the
// middle of its work, whichever of them starts the import, and whether the end
// of the execution that missed the file is told at once or after a sweep saw it: one
// import runs and has its file.
func TestLastFileAndDeadlineInterleaved(t *testing.T) {
	const date = "2024-10-08"
	keys := files(daily, date)[:len(two)]
	last := keys[len(keys)-1]
	at := deadlineOf(2024, 10, 9)
	type act func(*house, context.Context) error
	file := func(h *house, ctx context.Context) error {
		h.upload(last, "content")
		return h.takeIn(ctx, last)
	}
	deadline := func(h *house, ctx context.Context) error {
		_, err := h.sweeper.Sweep(ctx, at)
		return err
	}
	tell := map[string]func(*house, registry.Import){
		"told": func(h *house, imp registry.Import) { h.mustTrack(imp.ExecutionARN) },
		"told after a sweep": func(h *house, imp registry.Import) {
			h.sweep(control.SweepEvent{})
			h.mustTrack(imp.ExecutionARN)
		},
	}
	for name, order := range map[string][2]act{"file during the deadline": {deadline, file}, "deadline during the file": {file, deadline}} {
		for told, how := range tell {
			t.Run(name+", end "+told, func(t *testing.T) {
				eachInterleaving(t, func(t *testing.T, p *interposer) {
					h := interposed(t, p)
					h.arrive(keys[:len(keys)-1]...)
					second := sync.OnceValue(func() error { return order[1](h, t.Context()) })
					p.then = func() { _ = second() }
					first := order[0](h, context.WithValue(t.Context(), actor{}, true))
					if err := second(); first != nil || err != nil {
						t.Fatalf("%v, %v", first, err)
					}
					how(h, h.importOf(daily, date))
					h.mustRunOnce(date)
				})
			})
		}
	}
}

// mustRunOnce wants one import of one execution, running, whose registry agrees,
// and which succeeds once its execution does.
func (h *house) mustRunOnce(date string) {
	h.t.Helper()
	imp := h.importOf(daily, date)
	if imp.Status != etl.StatusRunning || h.machine.count() != 1 || h.machine.starts != 1 || h.machine.redrives > 1 {
		h.t.Fatalf("%s is %s, %d executions, %d starts, %d redrives", imp.ImportID, imp.Status, h.machine.count(), h.machine.starts, h.machine.redrives)
	}
	if diff := cmp.Diff([]string{imp.ImportID}, h.machine.running()); diff != "" {
		h.t.Errorf("running executions (-want +got):\n%s", diff)
	}
	if holder, err := h.registry.Slot(h.t.Context()); err != nil || holder != imp.ImportID {
		h.t.Errorf("the slot is held by %q, %v", holder, err)
	}
	if imp = h.end(imp, succeeded, ""); imp.Status != etl.StatusSucceeded {
		h.t.Errorf("after its success it is %s", imp.Status)
	}
}

func (h *house) mustTrack(arn string) {
	h.t.Helper()
	if err := h.track(arn); err != nil {
		h.t.Fatalf("track: %v", err)
	}
}

// The same at the same time: nobody waits for anybody.
func TestLastFileAndDeadlineAtOnce(t *testing.T) {
	const date, rounds = "2024-10-08", 10
	for n := range rounds {
		t.Run(fmt.Sprintf("round %d", n), func(t *testing.T) {
			h := interposed(t, &interposer{})
			keys := files(daily, date)[:len(two)]
			h.arrive(keys[0])
			h.upload(keys[1], "content")
			var wg sync.WaitGroup
			for range 2 {
				wg.Go(func() {
					if _, err := h.notify(keys[1]); err != nil {
						t.Errorf("notify: %v", err)
					}
				})
				wg.Go(func() {
					if _, err := h.sweeper.Sweep(t.Context(), deadlineOf(2024, 10, 9)); err != nil {
						t.Errorf("sweep: %v", err)
					}
				})
			}
			wg.Wait()
			h.mustTrack(h.importOf(daily, date).ExecutionARN)
			h.mustRunOnce(date)
		})
	}
}

// rivals are requests of which one is fast and the other is overtaken by it.
func rivals() []etl.Kind { return []etl.Kind{etl.KindResume, etl.KindRestart, etl.KindAbandon} }

// Two re-executions of one import at once: one wins, the other is told why not,
// and what is left is as if the winner had been alone.
func TestReexecutionsInterleaved(t *testing.T) {
	for _, slow := range rivals() {
		for _, fast := range rivals() {
			t.Run(string(slow+" overtaken by "+fast), func(t *testing.T) {
				eachInterleaving(t, func(t *testing.T, p *interposer) {
					h, imp := failedByDeadline(t, p)
					ask := func(ctx context.Context, mode etl.Kind) error {
						_, err := h.rerunner.Rerun(ctx, caller.Identity{}, control.Request{ImportID: imp.ImportID, Mode: mode})
						return err
					}
					second := sync.OnceValue(func() error { return ask(t.Context(), fast) })
					p.then = func() { _ = second() }
					outcome := map[string]error{}
					first := ask(context.WithValue(t.Context(), actor{}, true), slow)
					outcome["slow "+string(slow)], outcome["fast "+string(fast)] = first, second()
					won := []string{}
					for who, err := range outcome {
						switch reason := refused(err); {
						case err == nil:
							won = append(won, who[len("slow "):])
						case reason == "":
							t.Errorf("%s: %v", who, err)
						}
					}
					slices.Sort(won)
					h.mustBe(imp, won)
				})
			})
		}
	}
}

// failedByDeadline returns an import that failed with something else than missing
// files, though none is there: Open does not look at them again.
func failedByDeadline(t *testing.T, p *interposer) (*house, registry.Import) {
	t.Helper()
	h := interposed(t, p)
	h.rebuild(func(s *setup) { s.Executions = stateMachine(t, opening{h.machine, h, p, false}) })
	h.sweep(deadlineOf(2024, 10, 9))
	return h, h.end(h.importOf(daily, "2024-10-08"), failed, "Unexpected")
}

// mustBe wants everything as after one re-execution of the mode that won. Of two
// modes both may win only where the second changes nothing, or where a restart
// comes after the import was given up, which it revives.
func (h *house) mustBe(before registry.Import, won []string) {
	h.t.Helper()
	type state struct {
		Status                   etl.Status
		Execution, Slot, Pending string
		Generation, Fence        int
		Running                  []string
		Attempts                 []string
	}
	id := before.ImportID
	want, allowed := map[string]state{
		"resume": {
			Status: etl.StatusRunning, Execution: id, Slot: id, Generation: 1, Running: []string{id},
			Attempts: []string{"start deadline", "resume command"},
		},
		"restart": {
			Status: etl.StatusRunning, Execution: id + "-2", Slot: id, Generation: 2, Fence: 2, Running: []string{id + "-2"},
			Attempts: []string{"start deadline", "restart command"},
		},
		"abandon": {
			Status: etl.StatusAbandoned, Execution: id, Generation: 2, Fence: 2, Running: []string{},
			Attempts: []string{"start deadline", "abandon command"},
		},
		"abandon restart": {
			Status: etl.StatusRunning, Execution: id + "-2", Slot: id, Generation: 3, Fence: 3, Running: []string{id + "-2"},
			Attempts: []string{"start deadline", "abandon command", "restart command"},
		},
	}[strings.Join(idempotent(won), " ")]
	if !allowed {
		h.t.Fatalf("won = %v", won)
	}
	imp := h.load(id)
	holder, err := h.registry.Slot(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	got := state{
		Status: imp.Status, Execution: executionName(imp.ExecutionARN), Slot: holder, Pending: string(imp.Pending.Kind),
		Generation: imp.Generation, Fence: h.fence.current[id], Running: h.machine.running(), Attempts: h.attempts(id),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		h.t.Errorf("after %v (-want +got):\n%s", won, diff)
	}
}

// idempotent are the modes without the repetition of one that may be asked for
// twice: the second answer is that it is so.
func idempotent(modes []string) []string {
	if len(modes) == 2 && modes[0] == modes[1] && modes[0] != string(etl.KindRestart) {
		return modes[:1]
	}
	return modes
}
