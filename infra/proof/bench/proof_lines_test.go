package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/registry"
)

// TestCountLines: a line that the import lost, or took for a record of its own, is
// found, whether the maker of the files has counted their lines or not.
func TestCountLines(t *testing.T) {
	t.Chdir("../../..") // where the programs are called from
	imp, d := registry.Import{ImportID: "I", Generation: 2}, newProofDatabase(t)
	const file = "sales_data_20241007.csv"
	content := "a,b\n1,x\n2,\"y\nz\"\n\n3,\"slip\n4,w\n" // records on lines 2, 3, 6 and 7
	for name, test := range map[string]struct {
		change string // of a database that is right
		read   int64
		lines  string // lines.json; empty: none
		right  bool
	}{
		"right":               {``, 4, `{"` + file + `": {"header": 1, "records": 4, "continued": 1, "blank": 1}}`, true},
		"right, not known":    {``, 4, ``, true},
		"a record is lost":    {`DELETE FROM staging.ventes WHERE line_number = 2`, 3, ``, false},
		"the last is lost":    {`DELETE FROM staging.ventes WHERE line_number = 7; DELETE FROM etl.rejects WHERE line_number = 7`, 3, `{"` + file + `": {"header": 1, "records": 4, "continued": 1, "blank": 1}}`, false},
		"a line too many":     {`INSERT INTO etl.rejects VALUES ('I', 2, 'ventes', 9)`, 5, ``, false},
		"a line twice a part": {`INSERT INTO etl.rejects VALUES ('I', 2, 'ventes', 4)`, 5, `{"` + file + `": {"header": 1, "records": 4, "continued": 1, "blank": 1}}`, false},
		"another count":       {``, 5, ``, false},
		"the header":          {`INSERT INTO etl.rejects VALUES ('I', 2, 'ventes', 1)`, 5, ``, false},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			write(t, filepath.Join(folder, file), content)
			if test.lines != "" {
				write(t, filepath.Join(folder, linesFile), test.lines)
			}
			postgrestest.Exec(t, d.conn, `BEGIN`)
			defer postgrestest.Exec(t, d.conn, `ROLLBACK`)
			postgrestest.Exec(t, d.conn, `CREATE TABLE partitions.proof PARTITION OF staging.ventes DEFAULT`)
			postgrestest.Exec(t, d.conn, `INSERT INTO staging.ventes (import_id, generation, file_date, file_type, file, chunk, line_number)
				SELECT 'I', 2, '2024-10-07', 'sales_data', $1, 0, n FROM unnest(array[2, 3, 6, 7]) n`, file)
			postgrestest.Exec(t, d.conn, `INSERT INTO etl.rejects VALUES ('I', 2, 'ventes', 6), ('I', 2, 'ventes', 7), ('I', 1, 'ventes', 5), ('J', 2, 'ventes', 5)`)
			postgrestest.Exec(t, d.conn, test.change)
			counted, err := d.countLines(t.Context(), imp, folder, []fileCounts{{resource: "ventes", file: file, read: test.read}})
			if err != nil || len(counted) != 1 {
				t.Fatalf("%+v, %v", counted, err)
			}
			if err := printLines(counted); (err == nil) != test.right || (err != nil && !errors.Is(err, errDiffers)) {
				t.Errorf("%+v: %v", counted, err)
			}
		})
	}
	if _, err := d.countLines(t.Context(), imp, t.TempDir(), []fileCounts{{resource: "ventes", file: "none.csv"}}); err == nil {
		t.Error("a file that cannot be read is no error")
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestEverySlip: a kind of slip that is missing in one file is found.
func TestEverySlip(t *testing.T) {
	list := func(without string) string {
		var entries []string
		for n := range 10 {
			for _, rule := range append(slips(), "size") {
				if entry := fmt.Sprintf("%s in f%d.csv", rule, n); entry != without && (rule != "size" || n == 0) {
					entries = append(entries, fmt.Sprintf(`{"file": "f%d.csv", "rule": %q, "kind": "malformed", "line": 2}`, n, rule))
				}
			}
			entries = append(entries, fmt.Sprintf(`{"file": "f%d.csv", "rule": "quote", "kind": "field"}`, n))
		}
		return "[" + strings.Join(entries, ",") + "]"
	}
	path := filepath.Join(t.TempDir(), plantedFile)
	for without, right := range map[string]bool{"": true, "quote in f7.csv": false, "nul in f0.csv": false, "size in f0.csv": false} {
		write(t, path, list(without))
		if err := everySlip(path); (err == nil) != right {
			t.Errorf("without %q: %v", without, err)
		}
	}
	if everySlip(filepath.Join(t.TempDir(), "none")) == nil {
		t.Error("a list that is not there is enough")
	}
}
