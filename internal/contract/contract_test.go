package contract_test

import (
	"os"
	"slices"
	"testing"

	"etl-dataloader/internal/contract"
)

func TestLookups(t *testing.T) {
	p := load(t)
	if len(p.Resources) != 10 {
		t.Fatalf("%d resources, want 10", len(p.Resources))
	}
	for _, r := range p.Resources {
		if p.Resource(r.Name) != r {
			t.Errorf("%s is not found by its name", r.Name)
		}
		if len(r.KeyFields()) != len(r.Key) || len(r.Columns()) != len(r.Fields) {
			t.Errorf("%s: key fields or columns are not complete", r.Name)
		}
		if r.Title == "" {
			t.Errorf("%s has no title", r.Name)
		}
		for i, f := range r.Fields {
			if f.Index != i || r.Field(f.Name) != f {
				t.Errorf("%s.%s: wrong index, or not found by name", r.Name, f.Name)
			}
			if f.Title == "" {
				t.Errorf("%s.%s has no title", r.Name, f.Name)
			}
		}
	}
	if p.Resource("client_data") != nil || p.Resources[0].Field("x") != nil {
		t.Error("an unknown name is found")
	}
}

func TestDependencyOrder(t *testing.T) {
	p := load(t)
	order := p.InDependencyOrder()
	if len(order) != len(p.Resources) {
		t.Fatalf("%d resources, want %d", len(order), len(p.Resources))
	}
	for i, r := range order {
		for _, rel := range r.Relations {
			if parent := slices.Index(order, p.Resource(rel.Resource)); parent > i {
				t.Errorf("%s comes before its parent %s", r.Name, rel.Resource)
			}
		}
	}
}

func TestHash(t *testing.T) {
	descriptor, err := os.ReadFile("datapackage.json")
	if err != nil {
		t.Fatal(err)
	}
	same, err := contract.Parse(descriptor)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := contract.Parse(append(descriptor, '\n'))
	if err != nil {
		t.Fatal(err)
	}
	delivered := load(t).Hash
	if len(delivered) != 64 || same.Hash != delivered || changed.Hash == delivered {
		t.Errorf("hashes %q, %q and, of a changed descriptor, %q", delivered, same.Hash, changed.Hash)
	}
}

// Every country of ISO 3166-1 stands once, in both files.
func TestCountries(t *testing.T) {
	p := load(t)
	for _, resource := range []string{"clients", "magasins"} {
		codes := p.Resource(resource).Field("country").Enum
		if len(codes) != 249 || !slices.IsSorted(codes) || len(slices.Compact(slices.Clone(codes))) != 249 {
			t.Errorf("%s: %d codes, want 249 in order and each once", resource, len(codes))
		}
	}
	// Codes that are reserved or withdrawn, not assigned.
	for _, code := range []string{"UK", "EU", "XK", "AN", "CS", "SU", "FX", "ZZ"} {
		if slices.Contains(p.Resource("clients").Field("country").Enum, code) {
			t.Errorf("%s is not a country of ISO 3166-1", code)
		}
	}
}
