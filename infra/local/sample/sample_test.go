package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// makeSet runs the command and returns the files' bytes by name.
func makeSet(t *testing.T, arguments ...string) map[string][]byte {
	t.Helper()
	folder := t.TempDir()
	if err := run(append(arguments, "-out", folder), io.Discard); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = data
	}
	return files
}

// readTable reads a CSV file with the standard library's reader.
func readTable(t *testing.T, data []byte) []map[string]string {
	t.Helper()
	all, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var records []map[string]string
	for _, fields := range all[1:] {
		record := map[string]string{}
		for i, name := range all[0] {
			record[name] = fields[i]
		}
		records = append(records, record)
	}
	return records
}

func TestSameSeedSameBytes(t *testing.T) {
	options := []string{"-rows", "200", "-faults", "0.05", "-format", "mixed", "-seed"}
	first, again, other := makeSet(t, append(options, "7")...), makeSet(t, append(options, "7")...), makeSet(t, append(options, "8")...)
	if len(first) != 12 {
		t.Fatalf("%d files, want ten, %s and %s", len(first), plantedFile, linesFile)
	}
	for name, data := range first {
		if !bytes.Equal(data, again[name]) {
			t.Errorf("%s differs between two runs", name)
		}
		if name != linesFile && bytes.Equal(data, other[name]) {
			t.Errorf("%s is the same for another seed", name)
		}
	}
}

func TestSoundSet(t *testing.T) {
	files := makeSet(t, "-rows", "500")
	var entries []planted
	if err := json.Unmarshal(files[plantedFile], &entries); err != nil || len(entries) != 0 {
		t.Errorf("planted: %v, %v; want an empty list", entries, err)
	}
	clients := readTable(t, files["client_data_20241007.csv"])
	sales := readTable(t, files["sales_data_20241007.csv"])
	if len(clients) != 500 || len(sales) != 1500 {
		t.Errorf("%d clients and %d sales, want 500 and 1500", len(clients), len(sales))
	}
	nifs := map[string]bool{}
	for _, client := range clients {
		nifs[client["nif"]] = true
	}
	if len(nifs) != len(clients) {
		t.Errorf("%d different tax numbers of %d", len(nifs), len(clients))
	}
	for _, want := range []string{"\u0301", ",", "\n", "\"", "é"} {
		if !strings.Contains(clientText(clients), want) {
			t.Errorf("no client has %q", want)
		}
	}
}

func clientText(clients []map[string]string) string {
	var all strings.Builder
	for _, client := range clients {
		all.WriteString(client["first_name"] + client["last_name"] + client["address"])
	}
	return all.String()
}

// TestAmounts checks with rational numbers what the generator computes with
// integers.
func TestAmounts(t *testing.T) {
	files := makeSet(t, "-rows", "3000", "-seed", "3")
	half, hundred, roundedUp := big.NewRat(1, 2), big.NewRat(100, 1), 0
	for _, sale := range readTable(t, files["sales_data_20241007.csv"]) {
		quantity, price, amount := rat(t, sale["quantity"]), rat(t, sale["unit_price"]), rat(t, sale["amount"])
		cents := new(big.Rat).Mul(hundred, quantity.Mul(quantity, price))
		shifted := new(big.Rat).Add(cents, half)
		whole := new(big.Int).Div(shifted.Num(), shifted.Denom())
		if shifted.IsInt() && !cents.IsInt() {
			roundedUp++
		}
		if amount.Mul(amount, hundred).Cmp(new(big.Rat).SetInt(whole)) != 0 {
			t.Errorf("sale %v", sale)
		}
	}
	if roundedUp == 0 {
		t.Error("no amount lies half way between two cents")
	}
}

func rat(t *testing.T, text string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return r
}

func TestDailySetFollowsHistory(t *testing.T) {
	files := makeSet(t, "-mode", "daily", "-rows", "100", "-history-rows", "1000", "-date", "2024-10-08")
	historic := func(id string) bool { return len(strings.TrimLeft(id, "+0")) <= 4 }
	count := func(file, column string) (old, all int) {
		for _, record := range readTable(t, files[file+"_20241008.csv"]) {
			all++
			if historic(strings.TrimPrefix(record[column], hugeKey)) {
				old++
			}
		}
		return old, all
	}
	for _, c := range []struct {
		file, column string
		least, most  int
	}{
		{"client_data", "client_id", 30, 30}, // updates
		{"sales_data", "client_id", 180, 260},
		{"sales_data", "sale_id", 3, 3}, // corrections
		{"return_data", "sale_id", 5, 9},
		{"payment_data", "sale_id", 0, 0},
	} {
		old, all := count(c.file, c.column)
		if old < c.least || old > c.most {
			t.Errorf("%s.%s: %d of %d are of the history, want %d to %d", c.file, c.column, old, all, c.least, c.most)
		}
	}
}

func TestEmptyDay(t *testing.T) {
	files := makeSet(t, "-rows", "20", "-faults", "0.5", "-empty", "return_data,payment_data", "-format", "mixed")
	if got := string(files["return_data_20241007.json"]); got != "[\n]\n" {
		t.Errorf("returns: %q, want an empty array", got)
	}
	if got := files["payment_data_20241007.jsonl"]; len(got) != 0 {
		t.Errorf("payments: %q", got)
	}
}

func TestEveryFileHasEachKindOfFault(t *testing.T) {
	files := makeSet(t, "-rows", "20", "-faults", "0.001")
	var entries []planted
	if err := json.Unmarshal(files[plantedFile], &entries); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, entry := range entries {
		seen[entry.File[:strings.LastIndexByte(entry.File, '_')]+" "+entry.Kind] = true
	}
	for file, kinds := range map[string]string{
		"client_data": "field record duplicate malformed", "product_data": "field duplicate orphan cascade malformed",
		"category_data": "field duplicate orphan cascade cycle malformed", "sales_data": "field record duplicate orphan cascade malformed",
		"store_data": "field duplicate malformed", "supplier_data": "field duplicate malformed",
		"stock_data": "field duplicate orphan cascade malformed", "payment_data": "field record duplicate orphan cascade malformed",
		"return_data": "field record duplicate orphan cascade malformed", "employee_data": "field record duplicate orphan cascade malformed",
	} {
		for kind := range strings.FieldsSeq(kinds) {
			if !seen[file+" "+kind] {
				t.Errorf("%s has no fault of the kind %s", file, kind)
			}
		}
	}
}

func TestSizesOfFiles(t *testing.T) {
	for name, data := range makeSet(t, "-rows", "100", "-even", "-mode", "daily", "-history-rows", "1000", "-date", "2024-10-08") {
		if strings.HasSuffix(name, ".csv") {
			if records := readTable(t, data); len(records) != 100 {
				t.Errorf("-even: %s has %d records, want 100", name, len(records))
			}
		}
	}
	few := makeSet(t, "-rows", "1000", "-paid-sales", "100")
	if n := len(readTable(t, few["sales_data_20241007.csv"])); n != 3000 {
		t.Errorf("%d sales, want 3000", n)
	}
	if n := len(readTable(t, few["payment_data_20241007.csv"])); n == 0 || n > 200 {
		t.Errorf("%d payments of 100 sales, want 1 to 200", n)
	}
	if n := len(readTable(t, few["return_data_20241007.csv"])); n != 3 {
		t.Errorf("%d returns, want 3", n)
	}
	one := makeSet(t, "-rows", "1000", "-only", "client_data")
	if len(one) != 3 || !bytes.Equal(one["client_data_20241007.csv"], few["client_data_20241007.csv"]) {
		t.Error("-only does not make the one file as it is among ten")
	}
	if err := run([]string{"-only", "clients", "-out", t.TempDir()}, io.Discard); err == nil {
		t.Error("-only accepts an unknown type")
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, arguments := range []string{
		"", "-out x -rows 1", "-out x -mode weekly", "-out x -format xml", "-out x -faults 2", "-out x -date 2024-02-30",
		"-out x -history-rows 100", "-out x -empty client_data", "-out x -date 1066-10-14", "-unknown",
		"-out x -mode daily -rows 30000000", "-out x -faults NaN",
	} {
		if _, err := parse(strings.Fields(arguments), io.Discard); err == nil {
			t.Errorf("%q is accepted", arguments)
		}
	}
}
