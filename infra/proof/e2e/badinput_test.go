//go:build e2e

package e2e

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"etl-dataloader/infra/proof/stack"
)

// badNames are keys that break the rule of names, each in its own way.
var badNames = []string{ //nolint:gochecknoglobals // a constant list
	"daily/client_data_20240230.csv", // no day of the calendar
	"daily/customer_data_20241009.csv",
	"daily/client_data_20241009.xlsx",
	"client_data_20241009.csv",
}

// TestRefusedNames: badly named files are logged with their keys and alerted by the
// next sweep, once, and start nothing.
func TestRefusedNames(t *testing.T) {
	sc := baseline(t)
	imports, versions := len(sc.allImports(t)), map[string]string{}
	for _, key := range badNames {
		versions[key] = sc.put(t, key, []byte("client_id,first_name\n"+canaries[0]+","+canaryName+"\n"))
	}
	for _, key := range badNames {
		sc.awaitLog(t, "the refusal of "+key, func(l line) bool { return l.Level == "WARN" && l.File == key && l.Details != "" })
		if outcome := sc.notify(t, key, versions[key]); outcome != "bad_name" {
			t.Errorf("%s, once more: %q", key, outcome)
		}
	}
	for range 2 {
		if answer, failed := sc.invoke(t, "SweepFunction", map[string]any{}); failed != "" {
			t.Errorf("sweep: %v %s", answer, failed)
		}
	}
	for _, key := range badNames {
		sc.awaitAlert(t, "refuse", key)
	}
	sc.receive(t)
	for _, key := range badNames {
		told := slices.DeleteFunc(slices.Clone(sc.alerts), func(a alert) bool { return !strings.Contains(a.Message, "« "+key+" »") })
		if len(told) != 1 {
			t.Errorf("%d alerts for %s, want one", len(told), key)
		}
	}
	if n := len(sc.allImports(t)); n != imports {
		t.Errorf("%d imports were started by badly named files", n-imports)
	}
}

// faultyFile is a way in which a file as a whole is wrong.
type faultyFile struct {
	fileType string
	spoil    func([]byte) []byte
	reasons  []string // that the import's reason must hold
	hidden   string   // that it must not
}

func faultyFiles() []faultyFile {
	header := func(content []byte) []byte { return content[:bytes.IndexByte(content, '\n')+1] }
	return []faultyFile{
		{
			"client_data", func(c []byte) []byte { return bytes.Replace(c, []byte("email"), []byte("courriel"), 1) },
			[]string{"manquantes : email", "en trop : 1 sans nom reconnu (position "},
			"courriel", // which may as well be a value
		},
		{"client_data", func(c []byte) []byte { return c[len(header(c)):] }, []string{"manquantes : client_id, first_name"}, canaryName},
		{"sales_data", wide, []string{"encodage"}, ""},
		{"stock_data", func([]byte) []byte { return nil }, []string{"vide"}, ""},
		{"store_data", header, []string{"aucun enregistrement"}, ""},
	}
}

// wide encodes a text in UTF-16 with its byte order mark.
func wide(content []byte) []byte {
	units := append([]uint16{0xFEFF}, utf16.Encode([]rune(string(content)))...)
	var out bytes.Buffer
	if err := binary.Write(&out, binary.LittleEndian, units); err != nil {
		return nil
	}
	return out.Bytes()
}

// TestFaultyFiles: the files of a date are wrong as a whole, one after the other.
// Each time the import fails at the scan with the reason, and starts again by itself
// when the corrected file comes, until it succeeds. A file that comes after that is
// ignored.
func TestFaultyFiles(t *testing.T) {
	sc := baseline(t)
	of := sc.day(t, "-rows", "200", "-seed", "10")
	sc.plantLongLine(t, of)
	faults := faultyFiles()
	first := of.file(t, faults[0].fileType)
	sc.put(t, "daily/"+first, read(t, of.path(first))) // sound, but not the newest when the last file comes
	sc.put(t, "daily/"+first, faults[0].spoil(read(t, of.path(first))))
	sc.upload(t, of, of.others(t, faults[0].fileType)...)
	var imp stack.Import
	for i, f := range faults {
		imp = sc.awaitStatus(t, of.Mode, of.Date, failed, i+1)
		sc.failedScan(t, imp, of, f)
		sc.look(t)
		if i+1 < len(faults) { // the next fault comes first, and starts nothing
			sc.putAs(t, of, faults[i+1].fileType, faults[i+1].spoil)
		}
		if i+1 == len(faults) || faults[i+1].fileType != f.fileType {
			sc.upload(t, of, of.file(t, f.fileType))
		}
	}
	imp = sc.settle(t, of, len(faults)+1)
	if imp.Generation != len(faults)+1 {
		t.Errorf("%s succeeded in generation %d", imp.ImportID, imp.Generation)
	}
	sc.restartedByFiles(t, imp, len(faults)+1)
	for generation := 1; generation < imp.Generation; generation++ {
		sc.nothingOf(t, imp, generation)
	}
	before := sc.expected()
	late := sc.put(t, "daily/"+first, []byte("client_id\n"))
	sc.awaitLog(t, "a file after the success", func(l line) bool {
		return l.Level == "WARN" && l.File == first && strings.Contains(l.Details, imp.ImportID) && strings.Contains(l.Details, "« réussi »")
	})
	if again, _ := sc.importOf(t, of.Mode, of.Date); again.Attempts != imp.Attempts || again.Generation != imp.Generation {
		t.Errorf("version %s of %s started something: %+v", late, first, again)
	}
	if now, err := sc.count(t); err != nil || now != before {
		t.Errorf("the published tables changed from %v to %v: %v", before, now, err)
	}
}

// putAs uploads one file of a set with another content.
func (sc *scenario) putAs(t *testing.T, of set, fileType string, spoil func([]byte) []byte) {
	t.Helper()
	name := of.file(t, fileType)
	sc.put(t, of.Mode+"/"+name, spoil(read(t, of.path(name))))
}

// restartedByFiles checks that every attempt after the first was triggered by a file.
func (sc *scenario) restartedByFiles(t *testing.T, imp stack.Import, attempts int) {
	t.Helper()
	all := sc.attempts(t, imp.ImportID)
	if len(all) != attempts {
		t.Errorf("%d attempts, want %d", len(all), attempts)
	}
	for i, a := range all {
		if a.Trigger != "file" || (i > 0 && a.Kind != "restart") {
			t.Errorf("attempt %d: %s by %s", i+1, a.Kind, a.Trigger)
		}
	}
}

// failedScan checks a failure for what the scan found, and that the report marks the file.
func (sc *scenario) failedScan(t *testing.T, imp stack.Import, of set, f faultyFile) {
	t.Helper()
	name := of.file(t, f.fileType)
	for _, reason := range append(f.reasons, name) {
		sc.failedAt(t, imp, imp.State, "Chargement des fichiers", reason)
	}
	if imp.Fault != "InvalidFile" || imp.State != "Plan" {
		t.Errorf("%s: %s at %s", name, imp.Fault, imp.State)
	}
	if f.hidden != "" && strings.Contains(imp.Reason, f.hidden) {
		t.Errorf("%s: the reason shows data", name)
	}
	var report struct {
		Status, Reason string
		Files          []struct{ File, Status string }
	}
	if err := json.Unmarshal(sc.object(t, sc.Env["WORK_BUCKET"], imp.ImportID+"/report.json"), &report); err != nil {
		t.Fatal(err)
	}
	if report.Status != failed || report.Reason != imp.Reason {
		t.Errorf("the report: «%s», %s", report.Status, report.Reason)
	}
	for _, file := range report.Files {
		if (file.File == name) != (file.Status == "rejeté") {
			t.Errorf("the report marks %s «%s»", file.File, file.Status)
		}
	}
}
