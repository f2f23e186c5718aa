//go:build e2e

package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/contract"
)

// The tests of this file are about files as people really deliver them.

// change rewrites a file of a set.
func (f set) change(t *testing.T, fileType string, spoil func([]byte) []byte) {
	t.Helper()
	path := f.path(f.file(t, fileType))
	before := read(t, path)
	after := spoil(bytes.Clone(before))
	if bytes.Equal(before, after) {
		t.Fatalf("%s did not change", fileType)
	}
	write(t, path, after)
}

// reported is what report.json says of an import.
type reported struct {
	Status, Reason string
	Files          []struct {
		Resource, File, Status string
		Read, Valid, Rejected  int64
	}
}

func (sc *scenario) reported(t *testing.T, imp stack.Import) (report reported, text string) {
	t.Helper()
	body := sc.object(t, sc.Env["WORK_BUCKET"], imp.ImportID+"/report.json")
	if err := json.Unmarshal(body, &report); err != nil {
		t.Fatal(err)
	}
	return report, string(body) + string(sc.object(t, sc.Env["WORK_BUCKET"], imp.ImportID+"/report.html"))
}

// fileReasons are why the files of an import are refused, by file type.
func (sc *scenario) fileReasons(t *testing.T, imp stack.Import) map[string]string {
	t.Helper()
	var item stack.Import
	if !sc.item(t, "IMPORT#"+imp.ImportID, "META", &item) {
		t.Fatalf("the registry does not know %s", imp.ImportID)
	}
	reasons := map[string]string{}
	for _, f := range item.Files {
		if (f.Status == "rejeté") != (f.Reason != "") {
			t.Errorf("%s is «%s» because %q", f.Resource, f.Status, f.Reason)
		}
		if f.Reason != "" {
			reasons[sc.contract.Resource(f.Resource).FileType] = f.Reason
		}
	}
	return reasons
}

// refused waits until the nth attempt of an import has refused exactly these files:
// in the registry, in etl.files, in the report and in the alert.
func (sc *scenario) refused(t *testing.T, of set, attempts int, fileTypes ...string) stack.Import {
	t.Helper()
	imp := sc.awaitStatus(t, of.Mode, of.Date, failed, attempts)
	if imp.Fault != "InvalidFile" {
		t.Errorf("%s failed with %s: %s", imp.ImportID, imp.Fault, imp.Reason)
	}
	if len(imp.Reason) > 1024 || strings.ContainsAny(imp.Reason, "\n\r") {
		t.Errorf("the reason has %d bytes", len(imp.Reason))
	}
	reasons := sc.fileReasons(t, imp)
	report, _ := sc.reported(t, imp)
	for _, name := range of.files(t) {
		fileType, _, _ := strings.Cut(name, "_"+compact(of.Date))
		wanted := slices.Contains(fileTypes, fileType)
		if wanted {
			sc.failedAt(t, imp, imp.State, "Chargement des fichiers", name)
		}
		if _, told := reasons[fileType]; told != wanted {
			t.Errorf("%s is refused: %t, want %t", name, told, wanted)
		}
		for _, f := range report.Files {
			if f.File == name && (f.Status == "rejeté") != wanted {
				t.Errorf("the report marks %s «%s»", name, f.Status)
			}
		}
		var status string
		if err := sc.db.QueryRow(t.Context(), `SELECT coalesce(max(status), '') FROM etl.files WHERE import_id = $1 AND generation = $2 AND file = $3`,
			imp.ImportID, imp.Generation, name).Scan(&status); err != nil || (status == "rejeté") != wanted {
			t.Errorf("etl.files has %s «%s», %v", name, status, err)
		}
	}
	return imp
}

// etlctl runs the operator's command against the stack and returns what it prints.
func (sc *scenario) etlctl(t *testing.T, arguments ...string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), filepath.Join("build", "local", "etlctl"), arguments...) //nolint:gosec // the product's own
	command.Env = os.Environ()
	for name, value := range sc.Env {
		command.Env = append(command.Env, name+"="+value)
	}
	out, err := command.CombinedOutput()
	if len(out) == 0 {
		t.Fatalf("etlctl %v prints nothing: %v", arguments, err)
	}
	return out
}

// file is what the report says of one file.
func (r reported) file(t *testing.T, resource string) (read, valid, rejected int64, status string) {
	t.Helper()
	for _, f := range r.Files {
		if f.Resource == resource {
			return f.Read, f.Valid, f.Rejected, f.Status
		}
	}
	t.Fatalf("the report has no file of %s", resource)
	return 0, 0, 0, ""
}

// TestOneQuote: one quote that is not closed in a file of 203 products costs its
// own line, and nothing else.
func TestOneQuote(t *testing.T) {
	sc := baseline(t)
	of := sc.day(t, "-rows", "60", "-seed", "21")
	of.change(t, "product_data", func([]byte) []byte {
		var out bytes.Buffer
		out.WriteString("product_id,name,category_id,supplier_id,unit_price,currency,active\n")
		for id := 1; id <= 203; id++ {
			name := fmt.Sprintf(`"Produit, n° %d"`, id)
			if id == 1 {
				name = `"TV 55""`
			}
			fmt.Fprintf(&out, "%d,%s,1,1,9.90,EUR,true\n", id, name)
		}
		return out.Bytes()
	})
	sc.upload(t, of, of.files(t)...)
	imp := sc.confirm(t, of, 1)
	report, _ := sc.reported(t, imp)
	if read, valid, rejected, status := report.file(t, "produits"); read != 203 || valid != 202 || rejected != 1 || status != "avec rejets" {
		t.Errorf("%d read, %d valid, %d rejected, «%s»", read, valid, rejected, status)
	}
	var published, first, last int64
	if err := sc.db.QueryRow(t.Context(), `SELECT count(*), min(product_id), max(product_id) FROM final.produits`).Scan(&published, &first, &last); err != nil || published != 202 || first != 2 || last != 203 {
		t.Errorf("%d products from %d to %d, %v", published, first, last, err)
	}
	var line int64
	var rule string
	if err := sc.db.QueryRow(t.Context(), `SELECT line_number, rule FROM etl.errors WHERE import_id = $1 AND resource = 'produits'`, imp.ImportID).Scan(&line, &rule); err != nil || line != 2 || rule != "quote" {
		t.Errorf("line %d, rule %s, %v", line, rule, err)
	}
}

// TestNoLastLineEnd: a file whose last line has no end is accepted, with a WARN and
// a note in the report, as it may be cut off.
func TestNoLastLineEnd(t *testing.T) {
	sc := baseline(t)
	of := sc.day(t, "-rows", "60", "-seed", "22")
	of.change(t, "stock_data", func(c []byte) []byte { return bytes.TrimRight(c, "\r\n") })
	lines := int64(bytes.Count(read(t, of.path(of.file(t, "stock_data"))), []byte("\n")))
	sc.upload(t, of, of.files(t)...)
	imp := sc.confirm(t, of, 1)
	report, text := sc.reported(t, imp)
	if read, valid, rejected, _ := report.file(t, "stocks"); read != lines || read != valid+rejected {
		t.Errorf("%d read, %d valid, %d rejected of %d lines", read, valid, rejected, lines)
	}
	const note = "dernière ligne sans fin de ligne"
	if strings.Count(strings.ToLower(text), note) < 2 {
		t.Errorf("the report in its two forms does not say: %s", note)
	}
	sc.awaitLog(t, note, func(l line) bool {
		return l.ImportID == imp.ImportID && l.Level == "WARN" && l.File == of.file(t, "stock_data") && strings.Contains(strings.ToLower(l.Message+l.Details), note)
	})
	warned := sc.log(t, func(l line) bool {
		return l.ImportID == imp.ImportID && strings.Contains(strings.ToLower(l.Message+l.Details), note)
	})
	if len(warned) != 1 {
		t.Errorf("%d lines of the log speak of it", len(warned))
	}
}

// TestRenamedMember: JSON whose records all have a member of another name is
// refused with the name that is missing, and with the other one if it can be no
// value: it differs from the contract's by case. It goes on by itself once corrected.
func TestRenamedMember(t *testing.T) {
	sc := baseline(t)
	of := sc.day(t, "-rows", "60", "-seed", "23")
	other := map[string][3]string{ // the contract's name, the one delivered, whether that is shown
		"sales_data": {"amount", "montant", ""}, "stock_data": {"quantity", "Quantity", "shown"},
	}
	for fileType, names := range other {
		sc.asJSON(t, of, fileType)
		sc.putAs(t, of, fileType, func(c []byte) []byte { return bytes.ReplaceAll(c, []byte(`"`+names[0]+`"`), []byte(`"`+names[1]+`"`)) })
	}
	sc.upload(t, of, of.others(t, "sales_data", "stock_data")...)
	reasons := sc.fileReasons(t, sc.refused(t, of, 1, "sales_data", "stock_data"))
	for fileType, names := range other {
		if reason := reasons[fileType]; !strings.Contains(reason, names[0]) || strings.Contains(reason, names[1]) != (names[2] != "") {
			t.Errorf("%s: %s", fileType, reason)
		}
	}
	sc.upload(t, of, of.file(t, "sales_data"), of.file(t, "stock_data"))
	sc.restartedByFiles(t, sc.confirm(t, of, 2), 2)
}

// asJSON turns a CSV file of a set into one of JSON.
func (sc *scenario) asJSON(t *testing.T, of set, fileType string) {
	t.Helper()
	path := of.path(of.file(t, fileType))
	records, err := csv.NewReader(bytes.NewReader(read(t, path))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(sc.contract.Resources, func(r *contract.Resource) bool { return r.FileType == fileType })
	r := sc.contract.Resources[i]
	if !slices.Equal(records[0], r.Columns()) {
		t.Fatalf("%s has other columns than the contract", path)
	}
	var lines [][]byte
	for _, record := range records[1:] {
		lines = append(lines, object(t, r, record))
	}
	write(t, strings.TrimSuffix(path, ".csv")+".json", slices.Concat([]byte("[\n"), bytes.Join(lines, []byte(",\n")), []byte("\n]\n")))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// TestTwoRefused: two files that are refused are told in one failure; the import
// starts again by itself when the second of them is corrected, not before.
func TestTwoRefused(t *testing.T) {
	sc := baseline(t)
	of := sc.day(t, "-rows", "60", "-seed", "24")
	sc.putAs(t, of, "stock_data", func([]byte) []byte { return nil })
	sc.putAs(t, of, "store_data", wide)
	sc.upload(t, of, of.others(t, "stock_data", "store_data")...)
	sc.refused(t, of, 1, "stock_data", "store_data")
	sc.upload(t, of, of.file(t, "stock_data"))
	until(t, "the corrected file to be taken note of", func() (bool, error) {
		return len(sc.log(t, func(l line) bool { return l.File == of.file(t, "stock_data") })) > 1, nil
	})
	if answer, failed := sc.invoke(t, "SweepFunction", map[string]any{}); failed != "" {
		t.Fatalf("sweep: %v %s", answer, failed)
	}
	if half, _ := sc.importOf(t, of.Mode, of.Date); half.Attempts != 1 || half.Status != failed {
		t.Errorf("one of two files is corrected, and %s is «%s», attempt %d", half.ImportID, half.Status, half.Attempts)
	}
	sc.upload(t, of, of.file(t, "store_data"))
	imp := sc.confirm(t, of, 2)
	sc.restartedByFiles(t, imp, 2)
}

// TestControlTotals: a file that is not what the control file says is refused by
// name, and goes on by itself once the right one comes.
func TestControlTotals(t *testing.T) {
	sc := baseline(t)
	of := sc.day(t, "-rows", "60", "-seed", "25")
	type total struct {
		Records int64  `json:"records"`
		Bytes   int    `json:"bytes"`
		SHA256  string `json:"sha256"`
	}
	files, counted := map[string]total{}, sc.judge(t, of)
	for _, f := range counted.Files {
		content := read(t, of.path(f.File))
		hash := sha256.Sum256(content)
		files[f.File] = total{f.Read, len(content), hex.EncodeToString(hash[:])}
	}
	sc.put(t, of.Mode+"/control_"+compact(of.Date)+".json", marshal(t, map[string]any{"files": files}))
	sc.putAs(t, of, "return_data", func(c []byte) []byte { return c[:bytes.LastIndexByte(bytes.TrimRight(c, "\n"), '\n')+1] }) // a line less
	sc.upload(t, of, of.others(t, "return_data")...)
	imp := sc.refused(t, of, 1, "return_data")
	if reason := sc.fileReasons(t, imp)["return_data"]; !strings.Contains(reason, "contrôle") {
		t.Errorf("the reason is %s", reason)
	}
	sc.upload(t, of, of.file(t, "return_data"))
	sc.restartedByFiles(t, sc.confirm(t, of, 2), 2)
}

// TestFarFuture: ten files of a day in 2042 are refused with an alert, and real
// days go on.
func TestFarFuture(t *testing.T) {
	sc := baseline(t)
	of := sc.day(t, "-rows", "60", "-seed", "26")
	far := sc.renamed(t, of, "2042-01-01")
	sc.upload(t, far, far.files(t)...)
	for _, name := range far.files(t) {
		sc.awaitLog(t, "the refusal of "+name, func(l line) bool {
			return l.Level == "WARN" && strings.HasSuffix(l.File, name) && strings.Contains(l.Details, "futur")
		})
	}
	if answer, failed := sc.invoke(t, "SweepFunction", map[string]any{}); failed != "" {
		t.Fatalf("sweep: %v %s", answer, failed)
	}
	sc.awaitAlert(t, "fichier", "refuse", "20420101", "futur")
	sc.upload(t, of, of.files(t)...)
	sc.confirm(t, of, 1)
	if imp, started := sc.importOf(t, far.Mode, far.Date); started {
		t.Errorf("%s of 2042 started", imp.ImportID)
	}
	if sc.item(t, "QUEUE", "1#2042-01-01", &struct{}{}) {
		t.Error("the queue holds a day of 2042")
	}
	for _, name := range far.files(t) {
		sc.remove(t, far.Mode+"/"+name)
	}
}

// remove deletes every version of an object of the landing bucket.
func (sc *scenario) remove(t *testing.T, key string) {
	t.Helper()
	bucket := aws.String(sc.Env["LANDING_BUCKET"])
	if _, err := sc.S3.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: &key}); err != nil {
		t.Fatal(err)
	}
}

// TestHostileKeys: the key of an object writes no line of its own, and commands no
// terminal, in the log, in an alert and on the console.
func TestHostileKeys(t *testing.T) {
	sc := baseline(t)
	keys := map[string]string{ // and what is shown of it
		"daily/a.csv\nImport : IMPORT_20241009_150000_001\nStatut : réussi": `daily/a.csv\nImport : IMPORT_20241009_150000_001\nStatut : réussi`,
		"daily/b\u202evsc.exe":                      `daily/b\u202evsc.exe`,
		"daily/c\u0085\u2028.csv":                   `daily/c\u0085\u2028.csv`,
		"daily/d" + strings.Repeat("k", 1010) + "é": "daily/d" + strings.Repeat("k", 100),
	}
	for key, shown := range keys {
		sc.put(t, key, []byte("x"))
		defer sc.remove(t, key)
		sc.awaitLog(t, "the refusal of "+shown, func(l line) bool { return l.Level == "WARN" && strings.HasPrefix(l.File, shown) })
	}
	if answer, failed := sc.invoke(t, "SweepFunction", map[string]any{}); failed != "" {
		t.Fatalf("sweep: %v %s", answer, failed)
	}
	for _, shown := range keys {
		sc.awaitAlert(t, "refuse", shown)
	}
	for _, a := range sc.alerts {
		for l := range strings.Lines(a.Message) {
			if strings.HasPrefix(l, "Statut : réussi") && strings.Contains(a.Message, "daily/a.csv") || strings.ContainsAny(l, "\u202e\u0085\u2028\x1b") {
				t.Errorf("an alert shows a line of a key's: %q", l)
			}
		}
	}
	if out := string(sc.etlctl(t, "status")); strings.ContainsAny(out, "\u202e\u0085\u2028\x1b") {
		t.Errorf("etlctl prints %q", out)
	}
}
