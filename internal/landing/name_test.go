package landing_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/totals"
)

func names(t testing.TB) *landing.Names {
	t.Helper()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	n, err := landing.FromContract(pkg)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestParse(t *testing.T) {
	n := names(t)
	good := map[string]landing.File{
		"daily/client_data_20241008.csv":    {Mode: "daily", Date: "2024-10-08", Resource: "clients", Format: "csv"},
		"initial/clients_20240229.json":     {Mode: "initial", Date: "2024-02-29", Resource: "clients", Format: "json"},
		"daily/sales_data_20241008.jsonl":   {Mode: "daily", Date: "2024-10-08", Resource: "ventes", Format: "jsonl"},
		"daily/fournisseurs_20241231.jsonl": {Mode: "daily", Date: "2024-12-31", Resource: "fournisseurs", Format: "jsonl"},
		"daily/control_20241008.json":       {Mode: "daily", Date: "2024-10-08", Resource: landing.Control, Format: "json"},
		"initial/control_20241008.json":     {Mode: "initial", Date: "2024-10-08", Resource: landing.Control, Format: "json"},
	}
	for key, want := range good {
		got, err := n.Parse(key)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v", key, got, err)
		}
	}
	bad := map[string]string{
		"client_data_20241008.csv":           landing.BadFolder,
		"weekly/client_data_20241008.csv":    landing.BadFolder,
		"Daily/client_data_20241008.csv":     landing.BadFolder,
		"daily/":                             landing.BadForm,
		"daily/client_data_20241008":         landing.BadForm,
		"daily/client_data.csv":              landing.BadForm,
		"daily/client_data_2024108.csv":      landing.BadForm,
		"daily/client_data_202410080.csv":    landing.BadForm,
		"daily/client_data_2024-10-08.csv":   landing.BadForm,
		"daily/client_data_+2024100.csv":     landing.BadForm,
		"daily/_20241008.csv":                landing.BadForm,
		"daily/a/client_data_20241008.csv":   landing.BadForm,
		"daily/client_data_20241008.csv/x":   landing.BadForm,
		"daily/Client_Data_20241008.csv":     landing.BadType,
		"daily/customer_data_20241008.csv":   landing.BadType,
		"daily/client_data _20241008.csv":    landing.BadType,
		"daily/client_data_20240230.csv":     landing.BadDate,
		"daily/client_data_20230229.csv":     landing.BadDate,
		"daily/client_data_20241308.csv":     landing.BadDate,
		"daily/client_data_00000101.csv":     landing.BadDate,
		"daily/client_data_20241008.CSV":     landing.BadExtension,
		"daily/client_data_20241008.csv.gz":  landing.BadExtension,
		"daily/client_data_20241008.":        landing.BadExtension,
		"daily/client_data_20241008.xlsx":    landing.BadExtension,
		"daily/control_20241008.csv":         landing.BadControlExtension,
		"daily/control_20241008.jsonl":       landing.BadControlExtension,
		"daily/control_20240230.json":        landing.BadDate,
		"daily/controls_20241008.json":       landing.BadType,
		"daily/client_data_20241008.csv ":    landing.BadExtension,
		"daily/client_data_20241008 (1).csv": landing.BadForm,
	}
	for key, want := range bad {
		_, err := n.Parse(key)
		e, ok := errors.AsType[*landing.NameError](err)
		if !ok || e.Reason != want {
			t.Errorf("Parse(%q): %v, want %s", key, err, want)
		}
	}
}

func TestMissing(t *testing.T) {
	n := names(t)
	there := map[string]registry.Arrival{"clients": {}, "ventes": {}, "magasins": {}, "stocks": {}, "retours": {}, "employes": {}}
	want := []string{"product_data", "category_data", "supplier_data", "payment_data"}
	got := n.Missing(there)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
}

// Control totals are missing where they are required, and never stand for a file.
func TestMissingControl(t *testing.T) {
	optional := names(t)
	required := optional.Requiring(true)
	all := map[string]registry.Arrival{}
	for _, r := range []string{"clients", "produits", "categories", "ventes", "magasins", "fournisseurs", "stocks", "paiements", "retours", "employes"} {
		all[r] = registry.Arrival{}
	}
	if got := optional.Missing(all); got != nil {
		t.Errorf("optional: %v", got)
	}
	if got := required.Missing(all); !slices.Equal(got, []string{"control"}) {
		t.Errorf("required: %v", got)
	}
	all[landing.Control] = registry.Arrival{}
	if got := required.Missing(all); got != nil {
		t.Errorf("required and there: %v", got)
	}
	delete(all, "clients")
	if got := optional.Missing(all); !slices.Equal(got, []string{"client_data"}) {
		t.Errorf("a file missing: %v", got)
	}
	if _, err := landing.NewNames([]landing.FileType{{Resource: "x", Prefix: "control"}}); err == nil {
		t.Error("a type has the name of the control totals")
	}
}

func TestNamesRefusesTwins(t *testing.T) {
	_, err := landing.NewNames([]landing.FileType{{Resource: "a", Prefix: "x"}, {Resource: "b", Prefix: "y", Alias: "x"}})
	if err == nil {
		t.Error("two types share a name")
	}
}

// FuzzParse: a key that parses is the very key that is made of what was read;
// any other is refused with a reason.
func FuzzParse(f *testing.F) {
	pkg, err := contract.Load()
	if err != nil {
		f.Fatal(err)
	}
	n := names(f)
	f.Fuzz(func(t *testing.T, key string) {
		file, err := n.Parse(key)
		if err != nil {
			if e, ok := errors.AsType[*landing.NameError](err); !ok || e.Reason == "" || file != (landing.File{}) {
				t.Fatalf("Parse(%q) = %+v, %v", key, file, err)
			}
			return
		}
		day, err := time.Parse(time.DateOnly, file.Date)
		if file.Resource == landing.Control {
			if err != nil || key != string(file.Mode)+"/"+totals.Name(day) {
				t.Errorf("Parse(%q) = %+v: %v", key, file, err)
			}
			return
		}
		r := pkg.Resource(file.Resource)
		if err != nil || r == nil {
			t.Fatalf("Parse(%q) = %+v: %v", key, file, err)
		}
		tail := day.Format("_20060102.") + file.Format
		if key != string(file.Mode)+"/"+r.FileType+tail && key != string(file.Mode)+"/"+r.Alias+tail {
			t.Errorf("Parse(%q) = %+v", key, file)
		}
	})
}
