package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/precheck"
	"etl-dataloader/internal/record"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/setrule"
	"etl-dataloader/internal/validation"
)

const (
	storeHeader = "store_id,name,city,country,opened_on\n"
	soundStore  = "1,Centre,Lyon,FR,2000-01-01\n"
)

// TestCheck: no setting is needed, and the exit status tells the outcome.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	clean := write("store_data_20241008.csv", storeHeader+soundStore)
	rejects := write("magasins_20241008.csv", storeHeader+soundStore+"1,,Lyon,FR,hier\n")
	turned := write("store_data_20241009.csv", "name,store_id,city,country,opened_on\nCentre,1,Lyon,FR,2000-01-01\n")
	cut := write("store_data_20241007.csv", storeHeader+strings.TrimSuffix(soundStore, "\n"))
	faulty := write("store_data_20241010.csv", "store_id,name\n1,a\n")
	orphan := write("employee_data_20241008.csv", "employee_id,first_name,last_name,email,nif,store_id,hired_on,left_on\n1,Ana,Roux,ana@exemple.fr,1234567890,1,2020-01-01,\n")
	badDescriptor := write("descriptor.json", "{}")
	for name, test := range map[string]struct {
		arguments []string
		exit      int
		texts     []string
	}{
		"clean":         {[]string{clean}, exitOK, []string{string(etl.FileValid)}},
		"rejects":       {[]string{rejects}, exitFailed, []string{validation.RequiredText("name"), validation.TypeText("opened_on", "date"), setrule.DuplicateText([]string{"store_id"}, 2), string(etl.FileWithRejects)}},
		"limited":       {[]string{rejects, "--limit", "1"}, exitFailed, []string{textMoreErrors(1, 3), validation.RequiredText("name")}},
		"other order":   {[]string{turned}, exitOK, []string{validation.HeaderReordered}},
		"faulty":        {[]string{faulty}, exitFaulty, []string{validation.FileReason("utf-8", &record.FileError{Reason: "header", Missing: []string{"city", "country", "opened_on"}}), string(etl.FileRejected)}},
		"cut off":       {[]string{cut}, exitOK, registry.FileNotes("store_data_20241007.csv", "", true, 0, 0)},
		"bad name":      {[]string{badDescriptor}, exitFaulty, []string{landing.BadForm}},
		"open relation": {[]string{orphan}, exitOK, []string{textCheckOpen("employee_data_20241008.csv", "store_id", "magasins", 1, true)}},
		"two types":     {[]string{clean, rejects}, exitUsage, []string{precheck.TwoFiles("store_data_20241008.csv", "magasins_20241008.csv")}},
		"two dates":     {[]string{clean, turned}, exitUsage, []string{precheck.TwoDates("store_data_20241008.csv", "store_data_20241009.csv")}},
		"no such file":  {[]string{filepath.Join(dir, "none.csv")}, exitUsage, []string{"none.csv"}},
		"a folder":      {[]string{dir}, exitUsage, []string{textCheckNotRegular}},
		"no files":      {nil, exitUsage, []string{"attendu"}},
		"no descriptor": {[]string{clean, "--descriptor", filepath.Join(dir, "none.json")}, exitUsage, []string{"none.json"}},
		"bad contract":  {[]string{clean, "--descriptor", badDescriptor}, exitUsage, []string{"descriptor.json"}},
	} {
		t.Run(name, func(t *testing.T) {
			exit, out, errs := command(t, nil, append([]string{"contract", "check"}, test.arguments...)...)
			if exit != test.exit {
				t.Errorf("exit status %d, want %d", exit, test.exit)
			}
			for _, text := range test.texts {
				if !strings.Contains(out+errs, text) {
					t.Errorf("%q is not in %q%q", text, out, errs)
				}
			}
		})
	}
	for _, test := range []struct {
		file   string
		errors int
	}{{clean, 0}, {rejects, 3}} {
		_, out, _ := command(t, nil, "contract", "check", "--format", "json", test.file)
		var got struct {
			Errors []precheck.Error
			Total  int
			Files  []precheck.Result
		}
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		if len(got.Errors) != test.errors || got.Total != test.errors || len(got.Files) != 1 || got.Files[0].Read == 0 {
			t.Errorf("%+v", got)
		}
	}
}
