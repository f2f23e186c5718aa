package registry_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/registry/registrytest"
)

// A badly named object is remembered by key and version, whatever its key, and
// whether it was told.
func TestRefusals(t *testing.T) {
	r, _ := open(t)
	ctx := t.Context()
	long := "daily/" + strings.Repeat("é", 509)
	refuse := func(object, version, tag string, want bool) {
		t.Helper()
		if got, err := r.Refuse(ctx, object, version, tag); err != nil || got != want {
			t.Fatalf("Refuse(%.20q, %s) = %t, %v; want %t", object, version, got, err, want)
		}
	}
	refuse(long, "v1", "e1", true)
	refuse(long, "v1", "e1", false)
	refuse(long, "v2", `"e1"`, true)
	refuse("daily/x", "v1", "", true)
	known, err := r.Refusals(ctx, []string{long, "daily/x", "daily/never"})
	if err != nil || len(known) != 2 || known[long].Told || known[long].Version != "v2" || known[long].Expires == 0 {
		t.Fatalf("known %+v, %v", known, err)
	}
	if !known[long].Is(`"e1"`) || known[long].Is(`"e2"`) || !known["daily/x"].Is(`"e2"`) {
		t.Error("the tags are not compared")
	}
	if err := r.Told(ctx, map[string]string{long: `"e1"`, "daily/y": `"e3"`}, known); err != nil {
		t.Fatal(err)
	}
	if known, err = r.Refusals(ctx, []string{long, "daily/y"}); err != nil || !known[long].Told || !known["daily/y"].Told {
		t.Fatalf("known %+v, %v", known, err)
	}
	refuse(long, "v2", "e1", false)      // a replay
	refuse("daily/y", "v1", "e3", false) // told before its notification came
	refuse("daily/y", "v2", "e4", true)
}

// listed is an object of the landing bucket as arrive records it.
func listed(resource, object, version string) registry.Listed {
	return registry.Listed{Mode: daily, Date: date, Resource: resource, Key: object, ETag: "e" + version, LastModified: at(0)}
}

// Objects that are known as they are listed are passed by; changed ones, unknown
// ones and those whose date was lost from the queue are not.
func TestUnknown(t *testing.T) {
	r, _ := open(t)
	arrive(t, r, "clients", "daily/client_data_20241008.csv", keyed("daily/client_data_20241008.csv", "v1"))
	same := listed("clients", "daily/client_data_20241008.csv", "v1")
	changed := listed("clients", "daily/client_data_20241008.csv", "v2")
	fresh := listed("ventes", "daily/sales_data_20241008.csv", "v1")
	for _, test := range []struct {
		given []registry.Listed
		want  int
	}{{nil, 0}, {[]registry.Listed{same}, 0}, {[]registry.Listed{changed}, 1}, {[]registry.Listed{same, fresh}, 1}} {
		got, err := r.Unknown(t.Context(), test.given)
		if err != nil || len(got) != test.want {
			t.Errorf("Unknown(%v) = %v, %v", test.given, got, err)
		}
	}
	other := fresh
	other.Date = "2024-10-09"
	if got, err := r.Unknown(t.Context(), []registry.Listed{other}); err != nil || len(got) != 1 {
		t.Errorf("another date: %v, %v", got, err)
	}
}

func keyed(object, id string) registry.Look {
	return func(context.Context) (registry.Arrival, bool, error) {
		return registry.Arrival{Key: object, VersionID: id, ETag: "e" + id, LastModified: at(0)}, true, nil
	}
}

// partly answers a part of every batch, as DynamoDB does when it is busy.
type partly struct {
	*dynamodb.Client
	calls int
}

func (p *partly) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	p.calls++
	left := map[string]types.KeysAndAttributes{}
	for table, asked := range in.RequestItems {
		if len(asked.Keys) > 100 {
			return nil, fmt.Errorf("a batch of %d", len(asked.Keys))
		}
		if n := len(asked.Keys); n > 40 {
			left[table] = types.KeysAndAttributes{Keys: asked.Keys[40:]}
			in.RequestItems[table] = types.KeysAndAttributes{Keys: asked.Keys[:40]}
		}
	}
	out, err := p.Client.BatchGetItem(ctx, in, o...)
	if err == nil {
		out.UnprocessedKeys = left
	}
	return out, err
}

func TestBatchesAreReadToTheEnd(t *testing.T) {
	p := &partly{Client: emulator.DynamoDB(t)}
	r := registry.New(p, emulator.Table(t), new(registrytest.Clock).Now)
	tags := map[string]string{}
	var keys []string
	for i := range 250 {
		keys = append(keys, fmt.Sprint("k", i))
		tags[keys[i]] = "e"
	}
	if err := r.Told(t.Context(), tags, nil); err != nil {
		t.Fatal(err)
	}
	known, err := r.Refusals(t.Context(), keys)
	if err != nil || len(known) != 250 || p.calls != 8 {
		t.Errorf("%d of 250 in %d calls, %v", len(known), p.calls, err)
	}
}

// A date leaves the queue with its last file, unless a deadline asked for it or it
// has its import.
func TestLeaveEmpty(t *testing.T) {
	const object = "daily/client_data_20241008.csv"
	for name, test := range map[string]struct {
		before func(*registry.Registry) error
		waits  bool
	}{
		"waiting": {func(*registry.Registry) error { return nil }, false},
		"late": {func(r *registry.Registry) error {
			_, err := r.MarkLate(t.Context(), daily, date)
			return err
		}, false},
		"ready and told": {func(r *registry.Registry) error {
			if err := r.MarkReady(t.Context(), daily, date); err != nil {
				return err
			}
			return r.MarkTold(t.Context(), daily, date)
		}, false},
		"due": {func(r *registry.Registry) error {
			_, err := r.MarkDue(t.Context(), daily, date)
			return err
		}, true},
		"allotted": {func(r *registry.Registry) error {
			_, _, err := r.Allot(t.Context(), registry.Entry{Mode: daily, FileDate: date}, etl.TriggerFile, arn)
			return err
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := open(t)
			arrive(t, r, "clients", object, version("v1", at(0)))
			if err := test.before(r); err != nil {
				t.Fatal(err)
			}
			if left, err := r.LeaveEmpty(t.Context(), daily, date); err != nil || left {
				t.Fatalf("left with a file: %t, %v", left, err)
			}
			arrive(t, r, "clients", object, gone)
			if queue, err := r.Queue(t.Context()); err != nil || (len(queue) == 1) != test.waits {
				t.Errorf("queue %+v, %v", queue, err)
			}
		})
	}
	r, _ := open(t)
	if late, err := r.MarkLate(t.Context(), daily, date); err != nil || late {
		t.Errorf("a date without files is late: %t, %v", late, err)
	}
}

func TestWalkIsKept(t *testing.T) {
	r, _ := open(t)
	want := registry.Walk{Object: "daily/" + strings.Repeat("x", 1018), Date: "1#2024-10-08"}
	if err := r.SaveWalk(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Walk(t.Context()); err != nil || got.Object != want.Object || got.Date != want.Date {
		t.Errorf("walk %+v, %v", got, err)
	}
}

// What is remembered of a refused object ends one day.
func TestRefusalsExpire(t *testing.T) {
	r, clock := open(t)
	if _, err := r.Refuse(t.Context(), "daily/x", "v1", ""); err != nil {
		t.Fatal(err)
	}
	known, err := r.Refusals(t.Context(), []string{"daily/x"})
	if want := clock.Now().Add(registry.RefusedFor).Unix(); err != nil || known["daily/x"].Expires != want || registry.RefusedFor < 24*time.Hour {
		t.Errorf("expires at %d, want %d; %v", known["daily/x"].Expires, want, err)
	}
}
