package precheck_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/precheck"
	"etl-dataloader/internal/record"
	"etl-dataloader/internal/totals"
	"etl-dataloader/internal/validation"
)

func load(t *testing.T) *contract.Package {
	t.Helper()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

// file is a file of text.
func file(name string, lines ...string) precheck.File {
	text := strings.Join(lines, "\n") + "\n"
	return precheck.File{Name: name, Content: strings.NewReader(text), Size: int64(len(text))}
}

// check checks files and returns the errors as "resource line | field | rule".
func check(t *testing.T, mode etl.Mode, files ...precheck.File) ([]precheck.Result, []string) {
	t.Helper()
	var found []string
	c, err := precheck.New(load(t), mode, func(e precheck.Error) error {
		if e.Details == "" {
			t.Errorf("%+v has no details", e)
		}
		found = append(found, fmt.Sprintf("%s %d | %s | %s", e.Resource, e.Line, e.Field, e.Rule))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	results, err := c.Check(files)
	if err != nil {
		t.Fatal(err)
	}
	return results, found
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("errors (-want +got)\n%s", diff)
	}
}

const (
	clients    = "client_id,first_name,last_name,email,nif,phone,birth_date,address,city,country,created_at"
	categories = "category_id,name,parent_category_id"
	stores     = "store_id,name,city,country,opened_on"
	suppliers  = "supplier_id,name,contact_email,vat_number"
	products   = "product_id,name,category_id,supplier_id,unit_price,currency,active"
	sales      = "sale_id,client_id,product_id,store_id,quantity,unit_price,amount,sale_date,channel"
	returns    = "return_id,sale_id,quantity,reason,returned_on"
)

// day is a small day without any fault.
func day() []precheck.File {
	return []precheck.File{
		// The order of the arguments means nothing.
		file("return_data_20241008.csv", returns, "1,10,2,erreur,2024-10-08"),
		file("sales_data_20241008.csv", sales, "10,+7,3,4,2,10.00,20.00,2024-10-08,web"),
		file("clients_20241008.csv", clients, "007,Léa,Roux,lea@exemple.fr,1000000001,,,,Lyon,FR,2024-02-02T03:04:05Z"),
		file("product_data_20241008.csv", products, "3,Bêche,1,2,10.00,EUR,true"),
		file("category_data_20241008.csv", categories, "1,Outils,"),
		file("supplier_data_20241008.csv", suppliers, "2,Dupont,contact@exemple.fr,"),
		file("store_data_20241008.csv", stores, "4,Centre,Lyon,FR,2000-01-01"),
	}
}

func TestClean(t *testing.T) {
	for _, mode := range []etl.Mode{etl.ModeInitial, etl.ModeDaily} {
		results, found := check(t, mode, day()...)
		expect(t, found)
		if len(results) != 7 {
			t.Fatalf("%d results", len(results))
		}
		for _, r := range results {
			if r.Fault != "" || r.Read != 1 || r.Valid != 1 || r.Rejected != 0 || r.Open != nil || r.Reordered != nil {
				t.Errorf("%s: %+v", mode, r)
			}
		}
	}
}

// with replaces the file of the same type.
func with(files []precheck.File, f precheck.File) []precheck.File {
	prefix, _, _ := strings.Cut(f.Name, "_")
	files = slices.Clone(files)
	for i := range files {
		if strings.HasPrefix(files[i].Name, prefix) {
			files[i] = f
		}
	}
	return files
}

// TestSetRules: duplicates by canonical key, rejected parents, and the quantity
// of a return.
func TestSetRules(t *testing.T) {
	files := with(day(), file("clients_20241008.csv", clients,
		"7,Léa,Roux,lea@exemple.fr,1000000001,,,,Lyon,FR,2024-02-02T03:04:05Z",
		"+007,Léo,Roux,leo@exemple.fr,1000000001,,,,Lyon,FR,2024-02-02T03:04:05Z",
		"8,L3a,Roux,lea,1000000003,,,,Lyon,FR,2024-02-02T03:04:05Z"))
	files = with(files, file("sales_data_20241008.csv", sales,
		"10,7,3,4,2,10.00,20.00,2024-10-08,web",
		"11,8,3,4,2,10.00,20.00,2024-10-08,web",
		"12,,3,99999999999999999999,2,10.00,20.00,2024-10-08,web",
		"broken"))
	files = with(files, file("return_data_20241008.csv", returns,
		"1,10,3,erreur,2024-10-08", "2,11,1,erreur,2024-10-08", "3,11,x,erreur,2024-10-08"))
	results, found := check(t, etl.ModeInitial, files...)
	expect(t, found,
		"clients 3 | client_id | primaryKey", "clients 3 | nif | unique",
		"clients 4 | first_name | pattern", "clients 4 | email | format",
		"ventes 3 | client_id | foreignKey",
		"ventes 4 | client_id | required", "ventes 4 | store_id | maximum",
		"ventes 5 |  | fields",
		"retours 2 | quantity | quantity_at_most_sold",
		"retours 3 | sale_id | foreignKey",
		"retours 4 | quantity | type", "retours 4 | sale_id | foreignKey")
	for _, r := range results {
		if r.Read != r.Valid+r.Rejected {
			t.Errorf("counts of %+v", r)
		}
	}
}

// TestTree: what hangs below a reject goes with it, the members of a cycle are
// rejected for the cycle, and what hangs below them for the relation.
func TestTree(t *testing.T) {
	files := with(day(), file("category_data_20241008.csv", categories,
		"2,Maison,1", "1,Outils,", "3,,1", "4,Sous un rejet,3", "5,Plus bas,4",
		"10,Cycle a,11", "11,Cycle b,10", "12,Sous le cycle,11", "13,Elle-même,13", "1,Encore,2", "a,b"))
	_, found := check(t, etl.ModeInitial, files...)
	expect(t, found,
		"categories 4 | name | required",
		"categories 5 | parent_category_id | foreignKey", "categories 6 | parent_category_id | foreignKey",
		"categories 7 | parent_category_id | cycle", "categories 8 | parent_category_id | cycle",
		"categories 9 | parent_category_id | foreignKey", "categories 10 | parent_category_id | cycle",
		"categories 11 | category_id | primaryKey", "categories 12 |  | fields")
}

// TestDeepTrees: a chain of 100,000 categories, in either order of lines, is judged
// as fast as any file. One that looked at the whole file for each level would not
// end.
func TestDeepTrees(t *testing.T) {
	const size = 100_000
	for name, c := range map[string]struct {
		parent func(n int) int
		rule   string
	}{
		"without its root":        {func(n int) int { return n + 1 }, contract.RuleForeignKey},
		"without its root, after": {func(n int) int { return n - 1 }, contract.RuleForeignKey},
		"in a cycle":              {func(n int) int { return n%size + 1 }, contract.RuleCycle},
		"below a cycle of one":    {func(n int) int { return max(n-1, 1) }, contract.RuleForeignKey},
		"in a star":               {func(int) int { return 1 }, contract.RuleForeignKey},
	} {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			text.WriteString(categories + "\n")
			for n := 1; n <= size; n++ {
				fmt.Fprintf(&text, "%d,x,%d\n", n, c.parent(n))
			}
			rules := map[string]int64{}
			checker, err := precheck.New(load(t), etl.ModeInitial, func(e precheck.Error) error {
				rules[e.Rule]++
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			results, err := checker.Check([]precheck.File{{Name: "category_data_20241008.csv", Content: strings.NewReader(text.String()), Size: int64(text.Len())}})
			if err != nil || results[0].Rejected != size || rules[c.rule] < size-1 {
				t.Errorf("%+v, %v, %v", results, rules, err)
			}
		})
	}
}

// TestOpen: what the files cannot decide is counted and rejects nothing.
func TestOpen(t *testing.T) {
	alone := file("sales_data_20241008.csv", sales, "10,7,3,4,2,10.00,20.00,2024-10-08,web", "11,,3,4,2,10.00,20.00,2024-10-08,web")
	results, found := check(t, etl.ModeInitial, alone)
	expect(t, found, "ventes 3 | client_id | required")
	want := []precheck.OpenRelation{{"client_id", "clients", 1, true}, {"product_id", "produits", 2, true}, {"store_id", "magasins", 2, true}}
	if diff := cmp.Diff(want, results[0].Open); diff != "" {
		t.Error(diff)
	}
	// A client of an earlier day; products are reloaded every day.
	alone = file("sales_data_20241008.csv", sales, "10,9,3,4,2,10.00,20.00,2024-10-08,web", "11,7,9,4,2,10.00,20.00,2024-10-08,web")
	results, found = check(t, etl.ModeDaily, with(day(), alone)...)
	expect(t, found, "ventes 3 | product_id | foreignKey")
	if diff := cmp.Diff([]precheck.OpenRelation{{"client_id", "clients", 1, false}}, results[5].Open); diff != "" {
		t.Error(diff)
	}
	results, found = check(t, etl.ModeInitial, with(day(), alone)...)
	expect(t, found, "ventes 2 | client_id | foreignKey", "ventes 3 | product_id | foreignKey", "retours 2 | sale_id | foreignKey")
	if results[5].Open != nil {
		t.Errorf("initial: %+v", results[5].Open)
	}
}

// TestFaultyFiles: each is told, and the others are checked all the same.
func TestFaultyFiles(t *testing.T) {
	utf16 := precheck.File{Name: "store_data_20241008.csv", Content: strings.NewReader("\xff\xfea\x00"), Size: 4}
	results, found := check(t, etl.ModeDaily, file("supplier_data_20241008.csv", "supplier_id,name,email", "1,a,b"), utf16,
		file("category_data_20241008.csv", categories), file("customers_20241008.csv", "x"),
		file("product_data_20241008.json", `{}`), file("return_data_20241008.csv", "reason,"+strings.TrimSuffix(strings.Replace(returns, "reason,", "", 1), "\n")))
	expect(t, found)
	var faults []string
	for _, r := range results {
		faults = append(faults, r.File+": "+r.Fault)
	}
	want := []string{
		"customers_20241008.csv: " + landing.BadType,
		"category_data_20241008.csv: " + validation.FileNoRecord,
		"supplier_data_20241008.csv: " + validation.FileReason("utf-8", &record.FileError{Reason: "header", Missing: []string{"contact_email", "vat_number"}, Hidden: []int{3}}),
		"product_data_20241008.json: " + validation.FileFormat,
		"store_data_20241008.csv: " + validation.FileEncoding("utf-8"),
		"return_data_20241008.csv: ",
	}
	if diff := cmp.Diff(want, faults); diff != "" {
		t.Errorf("faults (-want +got)\n%s", diff)
	}
	if order := results[len(results)-1].Reordered; len(order) == 0 || order[0] != "reason" {
		t.Errorf("the order of columns is not told: %v", order)
	}
}

// TestNoValidRecord: a reload file whose records are all rejected is faulty as a
// whole; another one is not, and its children lose their parents in any case.
func TestNoValidRecord(t *testing.T) {
	results, found := check(t, etl.ModeDaily, file("category_data_20241008.csv", categories, "0,a,", "x,b,"),
		file("product_data_20241008.csv", products, "3,Bêche,1,2,10.00,EUR,true"), file("sales_data_20241008.csv", sales, "0,7,3,4,2,10.00,20.00,2024-10-08,web"))
	expect(t, found, "categories 2 | category_id | exclusiveMinimum", "categories 3 | category_id | type", "produits 2 | category_id | foreignKey", "ventes 2 | sale_id | exclusiveMinimum", "ventes 2 | product_id | foreignKey")
	for i, want := range []string{validation.FileNoValidRecord(2), validation.FileNoValidRecord(1), ""} {
		if results[i].Fault != want {
			t.Errorf("%s: %q, want %q", results[i].File, results[i].Fault, want)
		}
	}
}

// TestJSON: a kind that does not fit is a wrong type.
func TestJSON(t *testing.T) {
	results, found := check(t, etl.ModeInitial, file("store_data_20241008.json",
		`[{"store_id":1,"name":"Centre","city":"Lyon","country":"FR","opened_on":"2000-01-01"},`,
		`{"store_id":true,"name":7,"city":["Lyon"],"country":null,"opened_on":20000101}]`))
	expect(t, found, "magasins 2 | store_id | type", "magasins 2 | name | type", "magasins 2 | city | type", "magasins 2 | country | required", "magasins 2 | opened_on | type")
	if results[0].Valid != 1 || results[0].Rejected != 1 {
		t.Errorf("%+v", results[0])
	}
}

func TestSetErrors(t *testing.T) {
	for name, files := range map[string][]precheck.File{
		"one type twice": {file("clients_20241008.csv", "x"), file("client_data_20241008.csv", "x")},
		"two dates":      {file("clients_20241008.csv", "x"), file("sales_data_20241009.csv", "x")},
	} {
		c, err := precheck.New(load(t), etl.ModeDaily, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = c.Check(files); !errors.As(err, new(*precheck.SetError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReportFails: an error of the one who is told ends the check.
func TestReportFails(t *testing.T) {
	full := errors.New("disk full")
	c, err := precheck.New(load(t), etl.ModeDaily, func(precheck.Error) error { return full })
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []precheck.File{file("supplier_data_20241008.csv", suppliers, ",,,"), file("category_data_20241008.csv", categories, ",,")} {
		if _, err := c.Check([]precheck.File{f}); !errors.Is(err, full) {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}

// TestFuture: a date behind the horizon is a faulty name, and takes no other file
// with it.
func TestFuture(t *testing.T) {
	c, err := precheck.New(load(t), etl.ModeDaily, func(precheck.Error) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2024, 10, 7, 23, 0, 0, 0, time.UTC)
	c.Until(landing.Horizon{Now: func() time.Time { return now }, Days: 1})
	results, err := c.Check([]precheck.File{file("category_data_20421008.csv", categories, "1,a,"), file("category_data_20241008.csv", categories, "1,a,")})
	if err != nil || len(results) != 2 {
		t.Fatalf("%+v, %v", results, err)
	}
	if results[0].Fault != landing.BadFuture("2042-10-07") || results[1].Fault != "" || results[1].Valid != 1 {
		t.Errorf("results %+v", results)
	}
}

// controlOf are control totals of files, with the records given by file.
func controlOf(t *testing.T, records map[string]int64, files ...precheck.File) precheck.File {
	t.Helper()
	all := map[string]totals.Total{}
	for _, f := range files {
		text, err := io.ReadAll(io.NewSectionReader(f.Content, 0, f.Size))
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name] = totals.Total{Records: records[f.Name], Bytes: f.Size, SHA256: sha256.Sum256(text)}
	}
	declared, err := totals.New(all)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := declared.Write(&text); err != nil {
		t.Fatal(err)
	}
	return precheck.File{Name: "control_20241008.json", Content: strings.NewReader(text.String()), Size: int64(text.Len())}
}

// TestControlTotals: control totals that were given are held against the files.
func TestControlTotals(t *testing.T) {
	a := file("category_data_20241008.csv", categories, "1,a,")
	b := file("return_data_20241008.csv", returns)
	absent := file("store_data_20241008.csv", "x")
	right := map[string]int64{a.Name: 1}
	for name, test := range map[string]struct {
		control precheck.File
		faults  []string // of the control totals, the categories and the returns
	}{
		"right":            {controlOf(t, right, a, b), []string{"", "", ""}},
		"a file elsewhere": {controlOf(t, right, a, b, absent), []string{"", "", ""}},
		"other records":    {controlOf(t, map[string]int64{a.Name: 2}, a, b), []string{"", totals.Differs([]string{totals.RecordsDiffer(2, 1)}), ""}},
		"not named":        {controlOf(t, right, a), []string{totals.OtherFiles([]string{b.Name}, nil, 0), "", ""}},
		"no control totals": {
			precheck.File{Name: "control_20241008.json", Content: strings.NewReader("{}"), Size: 2},
			[]string{totals.FaultText(totals.UnknownMember, 2), "", ""},
		},
	} {
		results, _ := check(t, etl.ModeDaily, a, test.control, b)
		var faults []string
		for _, r := range results {
			faults = append(faults, r.Fault)
		}
		if diff := cmp.Diff(test.faults, faults); diff != "" {
			t.Errorf("%s: faults (-want +got)\n%s", name, diff)
		}
	}
}

// TestReturnsTogether: returns are held to what their sale sold together, in order
// of line; one that is rejected counts for nothing.
func TestReturnsTogether(t *testing.T) {
	_, found := check(t, etl.ModeInitial, with(with(day(), file("sales_data_20241008.csv", sales, "10,7,3,4,3,10.00,30.00,2024-10-08,web")),
		file("return_data_20241008.csv", returns, "1,10,1,defaut,2024-10-08", "2,10,3,defaut,2024-10-08", "3,10,2,panne,2024-10-08", "4,10,2,defaut,2024-10-08", "5,10,1,defaut,2024-10-08",
			"6,10,9223372036854775807,defaut,2024-10-08"))...)
	expect(t, found, "retours 3 | quantity | quantity_at_most_sold", "retours 4 | reason | enum", "retours 6 | quantity | quantity_at_most_sold", "retours 7 | quantity | quantity_at_most_sold")
}
