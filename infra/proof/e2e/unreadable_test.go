//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"etl-dataloader/infra/proof/stack"
)

// way is how a file with canaries is delivered: the content instead of the sound
// one, and the name it has.
type way struct {
	name     string
	fileType string
	ext      string // of the object, if it is another one
	spoil    func(t *testing.T, sc *scenario, sound []byte) []byte
}

// columns are the names of a file's columns, in the order of the contract.
func (sc *scenario) columns(fileType string) []string {
	for _, r := range sc.contract.Resources {
		if r.FileType == fileType {
			return r.Columns()
		}
	}
	return nil
}

// pairs joins the columns of the first planted record of a type and its values.
func (sc *scenario) pairs(fileType, format, between string) string {
	var pairs []string
	for i, name := range sc.columns(fileType) {
		pairs = append(pairs, fmt.Sprintf(format, name, planted[fileType][0][i]))
	}
	return strings.Join(pairs, between)
}

// macintosh is a client file of some 700 KB with line ends of the old Macintosh.
func macintosh(_ *testing.T, sc *scenario, _ []byte) []byte {
	var out strings.Builder
	out.WriteString(strings.Join(sc.columns("client_data"), ","))
	for i := 0; out.Len() < 700_000; i++ {
		out.WriteString("\r" + strings.Join(planted["client_data"][i%2], ","))
	}
	return []byte(out.String() + "\r")
}

// unreadable are ways to deliver a file that once put its content into the fault,
// in rounds: the files of a round are delivered together.
func unreadable() [][]way {
	headerless := func(_ *testing.T, _ *scenario, _ []byte) []byte { // whose first row holds what looks like a column
		return []byte("819273645546372818,Canarindia,Canaribravo,email.com,9182736451,1,2020-01-01,\n" +
			strings.Join(planted["employee_data"][0], ",") + "\n")
	}
	return [][]way{
		{
			{"line ends of the old Macintosh", "client_data", "", macintosh},
			{"no header", "employee_data", "", headerless},
			{"key=value", "supplier_data", "", func(_ *testing.T, sc *scenario, _ []byte) []byte {
				return []byte(strings.Repeat(sc.pairs("supplier_data", "%s=%s", ",")+"\n", 3))
			}},
			{"transposed", "payment_data", "", func(_ *testing.T, sc *scenario, _ []byte) []byte {
				return []byte(sc.pairs("payment_data", "%s,%s", "\n") + "\n")
			}},
		},
		{
			{"Python's repr", "client_data", "", func(_ *testing.T, sc *scenario, _ []byte) []byte {
				return []byte(strings.Repeat("{"+sc.pairs("client_data", "'%s': '%s'", ", ")+"}\n", 3))
			}},
			{"a lost line end after the header", "employee_data", "", func(_ *testing.T, _ *scenario, sound []byte) []byte {
				return bytes.Replace(sound, []byte("\n"), nil, 1)
			}},
			{"a value as a member's name", "supplier_data", "json", func(_ *testing.T, sc *scenario, _ []byte) []byte {
				r := planted["supplier_data"][0]
				return []byte(fmt.Sprintf(`[{"supplier_id": %s, "name": "%s", "canari.kilo@example.com": "contact_email", "vat_number": null}]`, r[0], r[1]))
			}},
		},
	}
}

// TestUnreadableFiles: files that nobody can read, in all ways that once put their
// content into the fault, are refused with a sentence; none of what they hold is
// found outside the landing bucket, wherever one looks. Corrected, their import
// starts again by itself.
func TestUnreadableFiles(t *testing.T) {
	sc := baseline(t)
	of := sc.day(t, "-rows", "60", "-seed", "27")
	for round, ways := range unreadable() {
		var types []string
		for _, w := range ways {
			types = append(types, w.fileType)
		}
		deliver := func(w way) {
			name := of.file(t, w.fileType)
			key := of.Mode + "/" + name
			if w.ext != "" {
				key = strings.TrimSuffix(key, ".csv") + "." + w.ext
			}
			sc.put(t, key, w.spoil(t, sc, read(t, of.path(name))))
		}
		if round == 0 {
			sc.upload(t, of, of.others(t, types...)...)
		} else {
			sc.upload(t, of, of.others(t, append(types, "product_data", "category_data", "sales_data", "store_data", "stock_data", "return_data")...)...)
		}
		for _, w := range ways {
			deliver(w)
		}
		imp := sc.refusedWays(t, of, round+1, ways)
		sc.look(t)
		sc.searchConsole(t, imp)
	}
	sc.upload(t, of, "client_data_"+compact(of.Date)+".csv", "employee_data_"+compact(of.Date)+".csv", "supplier_data_"+compact(of.Date)+".csv")
	imp := sc.settle(t, of, len(unreadable())+1)
	sc.restartedByFiles(t, imp, len(unreadable())+1)
	sc.searchConsole(t, imp)
}

// TestMovedComma: an unquoted comma that moves a street into the city, and all that
// follows by a column, costs that record only, and the street is nowhere in the
// clear.
func TestMovedComma(t *testing.T) {
	sc := baseline(t)
	of := sc.day(t, "-rows", "60", "-seed", "28")
	of.change(t, "client_data", func(c []byte) []byte {
		// As many fields as the header has: the street is the city, the country's code a time.
		return append(c, "918273645546372830,Canarialpha,Canaribravo,canari.charlie@example.com,9182736459,+33918273645,1903-02-01,bis,7 impasse du Canari Delta,Lyon,FR\n"...)
	})
	sc.upload(t, of, of.files(t)...)
	imp := sc.settle(t, of, 1)
	sc.searchConsole(t, imp)
	report, _ := sc.reported(t, imp)
	if _, _, rejected, _ := report.file(t, "clients"); rejected != 3 { // with the planted one of many faults and the malformed line
		t.Errorf("%d clients are rejected, want 3", rejected)
	}
}

// refusedWays waits for a failure that names exactly the files of a round, each
// with a sentence that a person can read.
func (sc *scenario) refusedWays(t *testing.T, of set, attempts int, ways []way) stack.Import {
	t.Helper()
	imp := sc.awaitStatus(t, of.Mode, of.Date, failed, attempts)
	reasons := sc.fileReasons(t, imp)
	if imp.Fault != "InvalidFile" || len(imp.Reason) > 1024 || len(reasons) != len(ways) {
		t.Errorf("%s with a reason of %d bytes, and %d files are refused", imp.Fault, len(imp.Reason), len(reasons))
	}
	for _, w := range ways {
		reason := reasons[w.fileType]
		if reason == "" || len(reason) > 300 || strings.ContainsAny(reason, "\r\n") {
			t.Errorf("%s: a reason of %d bytes", w.name, len(reason))
		}
		if !strings.Contains(imp.Reason, w.fileType+"_"+compact(of.Date)) {
			t.Errorf("%s: the failure does not name the file", w.name)
		}
	}
	sc.awaitAlert(t, imp.ImportID, "en echec", "client_data_"+compact(of.Date))
	return imp
}

// searchConsole looks for the canaries in what etlctl prints of an import.
func (sc *scenario) searchConsole(t *testing.T, imp stack.Import) {
	t.Helper()
	sc.search.in(t, "the console", map[string][]byte{
		"status": sc.etlctl(t, "status", imp.ImportID), "status as JSON": sc.etlctl(t, "status", "--json", imp.ImportID),
		"all": sc.etlctl(t, "status"), "errors": sc.etlctl(t, "errors", imp.ImportID), "errors as JSON": sc.etlctl(t, "errors", "--format", "json", imp.ImportID),
	})
}
