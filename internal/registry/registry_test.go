package registry_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/registry/registrytest"
)

var emulator *registrytest.Emulator

func TestMain(m *testing.M) {
	os.Exit(registrytest.Run(m, func(e *registrytest.Emulator) { emulator = e }))
}

const (
	daily = etl.ModeDaily
	date  = "2024-10-08"
)

func arn(name string) string { return "arn:execution:" + name }

func open(t *testing.T) (*registry.Registry, *registrytest.Clock) {
	t.Helper()
	clock := &registrytest.Clock{}
	return emulator.Open(t, clock.Now), clock
}

func at(second int) time.Time { return time.Date(2024, 10, 9, 1, 0, second, 0, time.UTC) }

func version(id string, modified time.Time) registry.Look {
	return func(context.Context) (registry.Arrival, bool, error) {
		return registry.Arrival{VersionID: id, ETag: "e" + id, LastModified: modified}, true, nil
	}
}

func gone(context.Context) (registry.Arrival, bool, error) { return registry.Arrival{}, false, nil }

func arrive(t *testing.T, r *registry.Registry, resource, object string, look registry.Look) bool {
	t.Helper()
	_, changed, err := r.RecordArrival(t.Context(), daily, date, resource, object, look)
	if err != nil {
		t.Fatalf("record the arrival of %s: %v", object, err)
	}
	return changed
}

// allotted returns an import that runs.
func allotted(t *testing.T, r *registry.Registry) registry.Import {
	t.Helper()
	arrive(t, r, "clients", "daily/client_data_20241008.csv", version("v1", at(0)))
	imp, ok, err := r.Allot(t.Context(), registry.Entry{Mode: daily, FileDate: date}, etl.TriggerFile, arn)
	if err != nil || !ok {
		t.Fatalf("Allot = %v, %v", ok, err)
	}
	return imp
}

func observe(t *testing.T, r *registry.Registry, imp registry.Import, redrives int, status etl.Status, faultName etl.Fault) (registry.Import, bool) {
	t.Helper()
	got, changed, err := r.Observe(t.Context(), imp.ImportID, registry.Observation{
		ExecutionARN: imp.ExecutionARN, Redrives: redrives, Status: status, At: at(30),
		Fault: faultName, Reason: string(faultName), Step: etl.Step(faultName),
	})
	if err != nil {
		t.Fatalf("Observe: %v", err)
	}
	return got, changed
}

func holder(t *testing.T, r *registry.Registry) string {
	t.Helper()
	h, err := r.Slot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestArrivalsKeepTheNewest(t *testing.T) {
	r, _ := open(t)
	const csv, alias = "daily/client_data_20241008.csv", "daily/clients_20241008.json"
	if !arrive(t, r, "clients", csv, version("v1", at(1))) {
		t.Error("the first arrival changed nothing")
	}
	if arrive(t, r, "clients", csv, version("v1", at(1))) {
		t.Error("a replay changed something")
	}
	if !arrive(t, r, "clients", csv, version("v2", at(2))) {
		t.Error("a new version changed nothing")
	}
	arrive(t, r, "clients", alias, version("w1", at(3)))
	newest, err := r.Arrivals(t.Context(), daily, date)
	if err != nil {
		t.Fatal(err)
	}
	if got := newest["clients"]; got.Key != alias || got.VersionID != "w1" {
		t.Errorf("newest of two objects = %s %s", got.Key, got.VersionID)
	}
	arrive(t, r, "clients", alias, gone)
	if newest, err = r.Arrivals(t.Context(), daily, date); err != nil || newest["clients"].VersionID != "v2" {
		t.Errorf("after the alias is deleted: %+v, %v", newest["clients"], err)
	}
}

// A slow intake looked at the bucket before a newer version came and writes
// after the newer one's intake: it must look again, not put the old one back.
func TestArrivalNeverGoesBack(t *testing.T) {
	r, _ := open(t)
	const object = "daily/client_data_20241008.csv"
	looks := 0
	slow := func(ctx context.Context) (registry.Arrival, bool, error) {
		looks++
		if looks > 1 {
			return version("v2", at(1))(ctx)
		}
		arrive(t, r, "clients", object, version("v2", at(1)))
		return version("v1", at(1))(ctx)
	}
	arrive(t, r, "clients", object, slow)
	newest, err := r.Arrivals(t.Context(), daily, date)
	if err != nil || newest["clients"].VersionID != "v2" || looks != 2 {
		t.Errorf("newest = %s after %d looks, %v", newest["clients"].VersionID, looks, err)
	}
}

func TestOneImportAnyNumberOfStarters(t *testing.T) {
	r, _ := open(t)
	arrive(t, r, "clients", "daily/client_data_20241008.csv", version("v1", at(0)))
	var wg sync.WaitGroup
	won := make(chan string, 50)
	for range 50 {
		wg.Go(func() {
			imp, ok, err := r.Allot(t.Context(), registry.Entry{Mode: daily, FileDate: date}, etl.TriggerFile, arn)
			if err != nil {
				t.Errorf("Allot: %v", err)
			}
			if ok {
				won <- imp.ImportID
			}
		})
	}
	wg.Wait()
	close(won)
	var ids []string
	for id := range won {
		ids = append(ids, id)
	}
	if diff := cmp.Diff([]string{"IMPORT_20241009_150000_001"}, ids); diff != "" {
		t.Errorf("imports (-want +got):\n%s", diff)
	}
}

func TestImportIDsOfOneSecond(t *testing.T) {
	r, _ := open(t)
	for n := 1; n <= 3; n++ {
		day := fmt.Sprintf("2024-10-%02d", n)
		if _, err := r.MarkDue(t.Context(), daily, day); err != nil {
			t.Fatal(err)
		}
		imp, ok, err := r.Allot(t.Context(), registry.Entry{Mode: daily, FileDate: day}, etl.TriggerDeadline, arn)
		if err != nil || !ok {
			t.Fatalf("Allot = %v, %v", ok, err)
		}
		if want := fmt.Sprintf("IMPORT_20241009_150000_%03d", n); imp.ImportID != want {
			t.Errorf("import_id = %s, want %s", imp.ImportID, want)
		}
		observe(t, r, imp, 0, etl.StatusSucceeded, "")
	}
}

func TestObservationsInAnyOrder(t *testing.T) {
	r, _ := open(t)
	imp := allotted(t, r)
	if _, changed := observe(t, r, imp, 0, etl.StatusRunning, ""); changed {
		t.Error("the first RUNNING changed something")
	}
	if got, changed := observe(t, r, imp, 0, etl.StatusFailed, "Transient"); !changed || got.Status != etl.StatusFailed {
		t.Errorf("failure: changed %v, status %s", changed, got.Status)
	}
	if got, changed := observe(t, r, imp, 0, etl.StatusRunning, ""); changed || got.Status != etl.StatusFailed {
		t.Errorf("late RUNNING: changed %v, status %s", changed, got.Status)
	}
	if got, changed := observe(t, r, imp, 1, etl.StatusSucceeded, ""); !changed || got.Status != etl.StatusSucceeded {
		t.Errorf("success of a redrive nobody saw start: changed %v, status %s", changed, got.Status)
	}
	if _, changed := observe(t, r, imp, 1, etl.StatusRunning, ""); changed {
		t.Error("RUNNING after the success changed something")
	}
	attempts, err := r.Attempts(t.Context(), imp.ImportID)
	if err != nil || len(attempts) != 2 {
		t.Fatalf("attempts = %v, %v", attempts, err)
	}
	if a := attempts[1]; a.Kind != etl.KindResume || a.Trigger != etl.TriggerConsole || a.FailedReason != "Transient" {
		t.Errorf("second attempt = %+v", a)
	}
	if holder(t, r) != "" {
		t.Error("the slot was not given back")
	}
	published, err := r.Published(t.Context())
	if err != nil || len(published) != 1 || published[0].FileDate != date {
		t.Errorf("published = %v, %v", published, err)
	}
}

func TestSlotAfterFailure(t *testing.T) {
	for _, test := range []struct {
		fault etl.Fault
		keeps bool
	}{{"Unexpected", true}, {"MissingFiles", false}} {
		t.Run(string(test.fault), func(t *testing.T) {
			r, _ := open(t)
			imp := allotted(t, r)
			observe(t, r, imp, 0, etl.StatusFailed, test.fault)
			if got := holder(t, r) == imp.ImportID; got != test.keeps {
				t.Errorf("holds the slot: %v, want %v", got, test.keeps)
			}
			arriveOn(t, r, "2024-10-09")
			_, ok, err := r.Allot(t.Context(), registry.Entry{Mode: daily, FileDate: "2024-10-09"}, etl.TriggerFile, arn)
			if err != nil || ok == test.keeps {
				t.Errorf("another import takes the slot: %v, %v", ok, err)
			}
			// Redriven in the console: the state is seen in both cases.
			if got, _ := observe(t, r, imp, 1, etl.StatusRunning, ""); got.Status != etl.StatusRunning {
				t.Errorf("status after the redrive = %s", got.Status)
			}
			_, err = r.TakeSlot(t.Context(), imp.ImportID, func(registry.Import) error { return nil })
			_, taken := errors.AsType[*registry.TakenError](err)
			if taken == test.keeps {
				t.Errorf("Open finds the slot taken: %v", taken)
			}
		})
	}
}

// arriveOn opens another date.
func arriveOn(t *testing.T, r *registry.Registry, date string) {
	t.Helper()
	if _, _, err := r.RecordArrival(t.Context(), daily, date, "clients", "daily/"+date, version("v1", at(0))); err != nil {
		t.Fatal(err)
	}
}

func TestSealFirstListStands(t *testing.T) {
	r, _ := open(t)
	imp := allotted(t, r)
	first := []registry.SealedFile{{Resource: "clients", Key: "k", VersionID: "v1", LastModified: at(1)}}
	second := []registry.SealedFile{{Resource: "clients", Key: "k", VersionID: "v2", LastModified: at(2)}}
	for range 2 {
		got, err := r.Seal(t.Context(), imp.ImportID, 1, first)
		if err != nil || got[0].VersionID != "v1" {
			t.Fatalf("Seal = %v, %v", got, err)
		}
		first = second
	}
	now, err := r.Import(t.Context(), imp.ImportID)
	if err != nil {
		t.Fatal(err)
	}
	late := now.Unused(map[string]registry.Arrival{"clients": {Key: "k", VersionID: "v2"}})
	if len(late) != 1 || len(now.Unused(map[string]registry.Arrival{"clients": {Key: "k", VersionID: "v1"}})) != 0 {
		t.Errorf("unused = %v", late)
	}
	_, err = r.Seal(t.Context(), imp.ImportID, 2, second)
	if _, ok := errors.AsType[*registry.ChangedError](err); !ok {
		t.Errorf("seal of another generation: %v", err)
	}
}

func TestClaims(t *testing.T) {
	resume := registry.Pending{Kind: etl.KindResume, Trigger: etl.TriggerCommand, Redrives: 1}
	restart := registry.Pending{Kind: etl.KindRestart, Trigger: etl.TriggerCommand}
	r, clock := open(t)
	imp := allotted(t, r)
	if _, err := r.Claim(t.Context(), imp, resume); err == nil {
		t.Error("a running import was claimed")
	}
	failed, _ := observe(t, r, imp, 0, etl.StatusFailed, "Unexpected")
	if _, err := r.Claim(t.Context(), failed, resume); err != nil {
		t.Fatalf("Claim: %v", err)
	}
	if _, err := r.Claim(t.Context(), failed, resume); err != nil {
		t.Errorf("the same resume again: %v", err)
	}
	_, err := r.Claim(t.Context(), failed, restart)
	if _, ok := errors.AsType[*registry.PendingError](err); !ok {
		t.Errorf("a restart beside a resume: %v", err)
	}
	clock.Move(registry.PendingFor)
	claim, err := r.Claim(t.Context(), failed, restart)
	if err != nil {
		t.Fatalf("a restart after a resume that never came: %v", err)
	}
	begun, err := r.Begin(t.Context(), claim, 2, arn)
	if err != nil {
		t.Fatalf("Begin: %v", err)
	}
	if begun.Generation != 2 || begun.ExecutionARN != arn(imp.ImportID+"-2") || begun.Status != etl.StatusRunning {
		t.Errorf("begun = %+v", begun)
	}
	if _, err := r.Begin(t.Context(), claim, 3, arn); err == nil {
		t.Error("a claim was used twice")
	}
	if _, changed := observe(t, r, imp, 1, etl.StatusFailed, "Superseded"); changed {
		t.Error("the old execution changed the import")
	}
}

func TestAbandonLetsTheNextDateGo(t *testing.T) {
	r, _ := open(t)
	imp := allotted(t, r)
	failed, _ := observe(t, r, imp, 0, etl.StatusFailed, "Unexpected")
	claim, err := r.Claim(t.Context(), failed, registry.Pending{Kind: etl.KindAbandon, Trigger: etl.TriggerCommand})
	if err != nil {
		t.Fatal(err)
	}
	gone, err := r.Abandon(t.Context(), claim, 2)
	if err != nil || gone.Status != etl.StatusAbandoned || gone.Generation != 2 {
		t.Fatalf("Abandon = %+v, %v", gone, err)
	}
	if err := r.Settle(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	queue, err := r.Queue(t.Context())
	if err != nil || len(queue) != 0 || holder(t, r) != "" {
		t.Errorf("queue = %v, slot %q, %v", queue, holder(t, r), err)
	}
	// A file that comes later does not open the date again.
	arrive(t, r, "clients", "daily/client_data_20241008.csv", version("v9", at(50)))
	if queue, err = r.Queue(t.Context()); err != nil || len(queue) != 0 {
		t.Errorf("queue = %v, %v", queue, err)
	}
}

// flaky answers as DynamoDB does, but fails one write: before it is stored, or
// after, as when the answer is lost.
type flaky struct {
	registry.DynamoDB
	fail  int // number of the transaction that fails, from 1
	after bool
	calls int
}

var errLost = errors.New("connection reset")

func (f *flaky) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	f.calls++
	if f.calls != f.fail {
		return f.DynamoDB.TransactWriteItems(ctx, in, o...)
	}
	if f.after {
		if _, err := f.DynamoDB.TransactWriteItems(ctx, in, o...); err != nil {
			return nil, err
		}
	}
	return nil, errLost
}

// Every change, failed and not saved, or saved but the answer lost, is tried
// again by its caller and ends in the same state.
func TestChangesThatFail(t *testing.T) {
	steps := []string{"arrival's date", "arrival", "allot", "seal", "failure", "claim", "begin", "success", "settle"}
	for fail := 1; fail <= len(steps); fail++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/saved=%v", steps[fail-1], after), func(t *testing.T) {
				clock := &registrytest.Clock{}
				r := registry.New(&flaky{DynamoDB: emulator.DynamoDB(t), fail: fail, after: after}, emulator.Table(t), clock.Now)
				walk(t, r)
			})
		}
	}
}

// walk takes an import through its life, trying again what failed, as the
// functions do when they are called again.
func walk(t *testing.T, r *registry.Registry) {
	t.Helper()
	ctx := t.Context()
	again := func(step func() error) {
		t.Helper()
		err := step()
		if _, ok := errors.AsType[*fault.Transient](err); ok {
			err = step()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	again(func() error {
		_, _, err := r.RecordArrival(ctx, daily, date, "clients", "daily/client_data_20241008.csv", version("v1", at(0)))
		return err
	})
	again(func() error {
		_, _, err := r.Allot(ctx, registry.Entry{Mode: daily, FileDate: date}, etl.TriggerFile, arn)
		return err
	})
	id, found, err := r.ImportOf(ctx, daily, date)
	if err != nil || !found {
		t.Fatalf("ImportOf = %v, %v", found, err)
	}
	again(func() error { _, err := r.Seal(ctx, id, 1, []registry.SealedFile{{Resource: "clients"}}); return err })
	again(func() error {
		_, _, err := r.Observe(ctx, id, registry.Observation{ExecutionARN: arn(id), Status: etl.StatusFailed, Fault: "InvalidFile"})
		return err
	})
	again(func() error {
		imp, err := r.Import(ctx, id)
		if err != nil || imp.Pending.Kind == etl.KindRestart {
			return err
		}
		_, err = r.Claim(ctx, imp, registry.Pending{Kind: etl.KindRestart, Trigger: etl.TriggerCommand})
		return err
	})
	again(func() error {
		imp, err := r.Import(ctx, id)
		if err != nil || imp.Generation == 2 {
			return err
		}
		_, err = r.Begin(ctx, imp, 2, arn)
		return err
	})
	again(func() error {
		_, _, err := r.Observe(ctx, id, registry.Observation{ExecutionARN: arn(id + "-2"), Status: etl.StatusSucceeded})
		return err
	})
	again(func() error {
		imp, err := r.Import(ctx, id)
		if err != nil {
			return err
		}
		return r.Settle(ctx, imp)
	})
	imp, err := r.Import(ctx, id)
	if err != nil || imp.Status != etl.StatusSucceeded || imp.Generation != 2 || !imp.Settled() {
		t.Errorf("import = %+v, %v", imp, err)
	}
	attempts, err := r.Attempts(ctx, id)
	if err != nil || len(attempts) != 2 {
		t.Errorf("attempts = %+v, %v", attempts, err)
	}
	queue, err := r.Queue(ctx)
	if err != nil || len(queue) != 0 || holder(t, r) != "" {
		t.Errorf("queue = %v, slot %q, %v", queue, holder(t, r), err)
	}
}
