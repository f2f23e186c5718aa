package event_test

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/event"
	layout "etl-dataloader/internal/staged"
)

// TestCompletionID: an event has one completion, and no two events the same. The id is
// stored, so how it is made must never change.
func TestCompletionID(t *testing.T) {
	t.Parallel()
	first := uuid.MustParse("01927b3c-8d6e-7a10-9c4f-0123456789ab")
	id := event.CompletionID(first)
	const want = "6e24bd70-4e2f-5394-b29d-ff1c0ca97fe6" // of Python's uuid.uuid5
	if id.String() != want || id.Version() != 5 {
		t.Errorf("%s is completed by %s, want %s", first, id, want)
	}
	if other := event.CompletionID(id); other == id || other == first {
		t.Errorf("%s is completed by %s", id, other)
	}
}

// TestCompletionType: the subject is that of the events that are completed.
func TestCompletionType(t *testing.T) {
	t.Parallel()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	for resource, want := range map[string]string{"clients": "client.enriched", "produits": "product.enriched", "magasins": "store.enriched"} {
		if got := event.CompletionType(pkg.Resource(resource)); got != want {
			t.Errorf("%s: %s, want %s", resource, got, want)
		}
	}
}

// TestCompletionData: a completion has the key as the first event has it, byte for byte, and
// what the source answered.
func TestCompletionData(t *testing.T) {
	t.Parallel()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ resource, first, values, want string }{
		"a sealed key":   {"clients", `{"client_id":"c2VhbGVk","city":"Lyon","phone":null,"enrichment_error":"timeout"}`, `{"segment":"eA==","loyalty_tier":null}`, `{"client_id":"c2VhbGVk","segment":"eA==","loyalty_tier":null}`},
		"not found":      {"clients", `{"client_id":"c2VhbGVk"}`, ``, `{"client_id":"c2VhbGVk"}`},
		"no value":       {"clients", `{"client_id":"c2VhbGVk"}`, `{}`, `{"client_id":"c2VhbGVk"}`},
		"a public key":   {"produits", `{"product_id":12,"name":"é\"","active":true}`, `{"brand":"b"}`, `{"product_id":12,"brand":"b"}`},
		"several fields": {"stocks", `{"product_id":12,"store_id":-3,"quantity":4}`, `{"x":1}`, `{"product_id":12,"store_id":-3,"x":1}`},
	} {
		got, err := event.CompletionData(pkg.Resource(c.resource), []byte(c.first), []byte(c.values))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, c.want)
		}
	}
	for name, first := range map[string]string{"no key": `{"city":"Lyon"}`, "no object": `[]`, "cut": `{"client_id":"c2Vh`, "nothing": ``} {
		if got, err := event.CompletionData(pkg.Resource("clients"), []byte(first), nil); err == nil {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestRow: the data of an event hold the cells of its staged row.
func TestRow(t *testing.T) {
	t.Parallel()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		resource, data string
		want           map[string]string // by field; the others have none
	}{
		"sealed":  {"clients", fmt.Sprintf(`{"client_id":%q,"city":"Aix \"x\"","phone":null}`, base64.StdEncoding.EncodeToString([]byte{0, 255})), map[string]string{"client_id": "\x00\xff", "city": `Aix "x"`}},
		"public":  {"ventes", `{"sale_id":12,"sale_amount":3.50,"sale_date":"2024-10-05","unknown":1}`, map[string]string{"sale_id": "12", "amount": "3.50", "sale_date": "2024-10-05"}},
		"boolean": {"produits", `{"active":false}`, map[string]string{"active": "false"}},
	} {
		r := pkg.Resource(c.resource)
		row, err := event.Row(r, []byte(c.data))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, cells := map[string]string{}, layout.Fields(r)
		for i, f := range r.Fields {
			if cell := row[cells[i].Value]; cell != nil {
				got[f.Name] = string(cell)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" || len(row) != len(r.StagingStream()) {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	for _, data := range []string{``, `[]`, `{"client_id":"no base64!"}`, `{"city":"x"`} {
		if _, err := event.Row(pkg.Resource("clients"), []byte(data)); err == nil {
			t.Errorf("%s is taken", data)
		}
	}
}
