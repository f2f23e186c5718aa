package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"etl-dataloader/internal/postgres/postgrestest"
)

// withErrors is a database with the errors of one import, at generation 2.
func withErrors(t *testing.T) string {
	t.Helper()
	url := server.URL(t)
	conn := postgrestest.Connect(t, url)
	postgrestest.Exec(t, conn, `INSERT INTO etl.imports (import_id, mode, file_date, status, generation, contract_hash)
		VALUES ($1, 'daily', '2024-10-08', 'échoué', 2, 'hash'), ($2, 'daily', '2024-10-07', 'réussi', 1, 'hash')`, importID, otherID)
	postgrestest.Exec(t, conn, `INSERT INTO etl.errors
		(import_id, generation, file, resource, chunk, line_number, field, rule, error_details, processing_step, created_at) VALUES
		($1, 2, 'sales_data_20241008.csv', 'ventes', 0, 12, 'client_id', 'foreignKey', 'Inconnu.', 'Validation des données', '2024-10-09T15:00:00Z'),
		($1, 2, 'sales_data_20241008.csv', 'ventes', 0, 12, 'product_id', 'foreignKey', 'Inconnu.', 'Validation des données', '2024-10-09T15:00:00Z'),
		($1, 2, 'sales_data_20241008.csv', 'ventes', 0, 3, NULL, 'quote', 'Un guillemet, "perdu".', 'Validation des données', '2024-10-09T15:00:00Z'),
		($1, 2, 'client_data_20241008.csv', 'clients', 0, 42, 'first_name', 'required', 'Le champ ''first_name'' est vide.', 'Validation des données', '2024-10-09T15:00:00Z'),
		($1, 2, 'employee_data_20241008.csv', 'employes', 0, 7, 'first_name', 'required', 'Le champ ''first_name'' est vide.', 'Validation des données', '2024-10-09T15:00:00Z'),
		($1, 1, 'client_data_20241008.csv', 'clients', 0, 1, 'nif', 'pattern', 'Une génération passée.', 'Validation des données', '2024-10-09T14:00:00Z'),
		($2, 1, 'client_data_20241007.csv', 'clients', 0, 1, 'nif', 'pattern', 'Un autre import.', 'Validation des données', '2024-10-08T14:00:00Z')`, importID, otherID)
	return server.Reader(url)
}

// errorsOf runs the command.
func errorsOf(t *testing.T, url string, arguments ...string) (exit int, out, errs string) {
	t.Helper()
	return command(t, map[string]string{"DATABASE_URL": url}, append([]string{"errors"}, arguments...)...)
}

func TestErrorsFormats(t *testing.T) {
	url := withErrors(t)
	for golden, arguments := range map[string][]string{
		"testdata/errors.golden":       {importID},
		"testdata/errors_limit.golden": {importID, "--limit", "1", "--resource", "ventes"},
		"testdata/errors.csv.golden":   {importID, "--format", "csv"},
		"testdata/errors.json.golden":  {importID, "--format", "json"},
		"testdata/errors_none.golden":  {importID, "--rule", "none"},
		"testdata/none.json.golden":    {importID, "--rule", "none", "--format", "json"},
	} {
		t.Run(golden, func(t *testing.T) {
			exit, out, errs := errorsOf(t, url, arguments...)
			if exit != exitOK {
				t.Fatalf("exit status %d: %s", exit, errs)
			}
			if strings.Contains(golden, "json") && !json.Valid([]byte(out)) {
				t.Errorf("no JSON: %s", out)
			}
			compare(t, golden, func(c *console) { c.say(out + errs) })
		})
	}
}

func TestErrorsFilters(t *testing.T) {
	url := withErrors(t)
	for arguments, want := range map[string]int64{
		"":                                  5,
		"--file sales_data_20241008.csv":    3,
		"--resource clients":                1,
		"--field first_name":                2,
		"--rule foreignKey":                 2,
		"--rule required --resource ventes": 0,
		"--rule ' OR true --":               0,
	} {
		t.Run(arguments, func(t *testing.T) {
			command := []string{importID, "--format", "json"}
			for _, argument := range strings.SplitAfter(arguments, " --") {
				name, value, found := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(argument, "--"), " --"), " ")
				if found {
					command = append(command, "--"+name+"="+value)
				}
			}
			_, out, errs := errorsOf(t, url, command...)
			var got struct {
				Total  int64         `json:"total"`
				Errors []recordError `json:"errors"`
			}
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatalf("%v: %s%s", err, out, errs)
			}
			if got.Total != want || int64(len(got.Errors)) != want {
				t.Errorf("total %d, %d errors, want %d", got.Total, len(got.Errors), want)
			}
		})
	}
}

func TestErrorsOfAnUnknownImport(t *testing.T) {
	exit, out, errs := errorsOf(t, withErrors(t), "IMPORT_20240101_000000_001")
	if exit != exitFailed || out != "" || !strings.Contains(errs, "La base ne connaît pas") {
		t.Errorf("exit status %d, %q, %q", exit, out, errs)
	}
}

func TestErrorsLimit(t *testing.T) {
	three, negative := int64(3), int64(-1)
	for _, test := range []struct {
		command errorsCommand
		want    int64
	}{
		{errorsCommand{Format: "table"}, tableLimit},
		{errorsCommand{Format: "csv"}, 0},
		{errorsCommand{Format: "table", Limit: &three}, 3},
		{errorsCommand{Format: "json", Limit: &three}, 3},
		{errorsCommand{Format: "table", Limit: &negative}, 0},
	} {
		if got := test.command.limit(); got != test.want {
			t.Errorf("%+v: limit %d, want %d", test.command, got, test.want)
		}
	}
}

// TestTableInPages: no more than a page of a long table is in memory.
func TestTableInPages(t *testing.T) {
	var out bytes.Buffer
	w := &tableErrors{out: &out}
	if err := w.begin([]ruleCount{{Rule: "required", Errors: 2*tablePage + 1, Records: 2*tablePage + 1, Resources: []string{"clients"}}}); err != nil {
		t.Fatal(err)
	}
	for n := range int64(2*tablePage + 1) {
		if err := w.row(recordError{File: "f.csv", Line: n + 1, Rule: "required", Details: "Vide."}); err != nil {
			t.Fatal(err)
		}
		if len(w.rows.rows) > tablePage {
			t.Fatalf("%d errors are in memory", len(w.rows.rows))
		}
	}
	if err := w.end(2*tablePage+1, 2*tablePage+1); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "f.csv"); n != 2*tablePage+1 {
		t.Errorf("%d errors are shown", n)
	}
	column, _, _ := strings.Cut(textColumnsErrors, "|")
	if n := strings.Count(out.String(), column); n != 3 {
		t.Errorf("%d pages, want 3", n)
	}
}

func TestCSVOfABrokenPipe(t *testing.T) {
	e := errorsCommand{Format: "csv"}
	w := e.writer(&console{out: broken{}, err: &bytes.Buffer{}}, 1)
	if err := w.begin(nil); err != nil {
		t.Fatal(err)
	}
	if err := w.end(0, 0); err == nil {
		t.Error("a row that could not be written is not told")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

var errBroken = &usageError{"broken pipe"}
