package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/registry"
)

var server *postgrestest.Server

func TestMain(m *testing.M) {
	os.Exit(postgrestest.Run(m.Run, func(s *postgrestest.Server) { server = s }))
}

// TestSpoil: three records of ten are bad, in every way that there is; the others
// are as they were.
func TestSpoil(t *testing.T) {
	const header = "client_id,first_name,last_name,email,nif,phone,birth_date,address,city,country,created_at\n"
	var sound strings.Builder
	sound.WriteString(header)
	const sounds = 200
	for n := range sounds {
		fmt.Fprintf(&sound, "%d,Léa,Roux,lea@exemple.fr,%010d,,,\"1, rue\nHaute\",Lyon,FR,2024-01-02T03:04:05Z\n", n+1, n)
	}
	var out bytes.Buffer
	count, err := spoil(strings.NewReader(sound.String()), &out)
	if err != nil {
		t.Fatal(err)
	}
	slips, whole := 0, out.String()
	for _, line := range quotesOutOfPlace() {
		n := strings.Count(whole, line+"\n")
		if n == 0 {
			t.Errorf("no %s", line)
		}
		slips, whole = slips+n, strings.ReplaceAll(whole, line+"\n", "")
	}
	if want := (lineCount{Header: 1, Records: sounds, Continued: int64(sounds - slips)}); count != want || slips != 8 {
		t.Errorf("%d quotes out of place, lines %+v, want %+v", slips, count, want)
	}
	reader := csv.NewReader(strings.NewReader(whole))
	reader.FieldsPerRecord = -1
	records, err := reader.ReadAll()
	if err != nil || len(records) != sounds+1-slips {
		t.Fatalf("%d records, %v", len(records), err)
	}
	bad, ids := slips, map[string]bool{}
	for _, r := range records[1:] {
		if len(r) != 11 || ids[r[0]] || r[1] == "" || r[2] == "R2D2" || r[3] == "nobody" || len(r[4]) != 10 || r[9] == "ZZ" {
			bad++
		}
		ids[r[0]] = true
	}
	if bad != sounds*badInTen/10 {
		t.Errorf("%d of %d records are bad", bad, sounds)
	}
	if _, err := spoil(strings.NewReader(""), &out); err == nil {
		t.Error("a file without a header is spoiled")
	}
}

// TestReadLog reads a log of several streams and pages into the database.
func TestReadLog(t *testing.T) {
	reject := func(line int) string {
		return fmt.Sprintf(`{"level":"ERROR","message":%q,"file":"f.csv","line_number":%d,"error_details":"Vide.","system":"ETL-DataLoader","import_id":"I"}`, phase.ValidationError, line)
	}
	pages := map[string][][]string{
		"a": {{"START", reject(2), reject(3)}, {reject(4), "END"}},
		"b": {{`{"level":"INFO","message":"Autre","system":"ETL-DataLoader"}`}},
		"c": {},
	}
	emulator := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			LogGroupName, LogStreamName, NextToken string
			StartFromHead                          bool
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.LogGroupName != "/etl-dataloader/"+stackName {
			t.Errorf("%+v, %v", in, err)
		}
		out := map[string]any{}
		switch r.Header.Get("X-Amz-Target") {
		case "Logs_20140328.DescribeLogStreams":
			if out["logStreams"] = []map[string]string{{"logStreamName": "a"}, {"logStreamName": "b"}}; in.NextToken == "" {
				out["nextToken"] = "more"
			} else {
				out["logStreams"] = []map[string]string{{"logStreamName": "c"}}
			}
		case "Logs_20140328.GetLogEvents":
			place := len(in.NextToken)
			events := []map[string]string{}
			if stream := pages[in.LogStreamName]; place < len(stream) {
				for _, text := range stream[place] {
					events = append(events, map[string]string{"message": text})
				}
				place++
			}
			out["events"], out["nextForwardToken"] = events, strings.Repeat("f", place)
			if !in.StartFromHead {
				t.Error("the log is read from its end")
			}
		}
		if err := json.NewEncoder(w).Encode(out); err != nil {
			t.Error(err)
		}
	}))
	defer emulator.Close()
	d := newProofDatabase(t)
	if _, err := d.testify(t.Context(), registry.Import{}, judgement{}, "none.json"); err != nil {
		t.Fatal(err)
	}
	c := &cloud{Stack: &stack.Stack{Env: map[string]string{"AWS_ENDPOINT_URL": emulator.URL}}}
	counts, err := d.readLog(t.Context(), c)
	if err != nil || counts != (logCounts{streams: 3, lines: 4, rejects: 3}) {
		t.Errorf("%+v, %v", counts, err)
	}
	if n := postgrestest.Scan[int](t, d.conn, `SELECT sum(line_number)::int FROM proof_log WHERE import_id = 'I' AND file = 'f.csv' AND error_details = 'Vide.'`); n != 9 {
		t.Errorf("the lines add up to %d", n)
	}
	emulator.Close()
	if _, err := d.readLog(t.Context(), c); err == nil {
		t.Error("a log that cannot be read is no error")
	}
}

func newProofDatabase(t *testing.T) *database {
	t.Helper()
	return &database{conn: postgrestest.Connect(t, server.URL(t))}
}

// TestCompare: whatever is missing or too much is found, by each comparison.
func TestCompare(t *testing.T) {
	imp := registry.Import{ImportID: "I", Generation: 2}
	planted := filepath.Join(t.TempDir(), plantedFile)
	if err := os.WriteFile(planted, []byte(`[{"file":"f.csv","line":2,"field":"a,b","rule":"primaryKey"},{"file":"f.csv","line":3,"field":"","rule":"quote"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	var says judgement
	if err := json.Unmarshal([]byte(`{"files":{"ventes":{"file":"f.csv","read":5,"valid":3,"rejected":2,
		"rejects":[{"line":2,"errors":[["a,b","primaryKey"],["c","type"]]},{"line":3,"errors":[["","quote"]]}]}}}`), &says); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change string // of a database that is right
		wrong  int    // comparisons that differ
		files  bool   // whether the counts of the files differ
	}{
		"right":                    {``, 0, false},
		"error missing":            {`DELETE FROM etl.errors WHERE field = 'c'`, 2, false},
		"planted missing":          {`DELETE FROM etl.errors WHERE field = 'a, b'`, 3, false},
		"error extra":              {`UPDATE etl.errors SET rule = 'format' WHERE field = 'c'`, 1, false},
		"other generation":         {`UPDATE etl.errors SET generation = 1 WHERE field = 'c'`, 2, false},
		"reject missing":           {`DELETE FROM etl.rejects WHERE line_number = 3`, 2, false},
		"reject extra":             {`INSERT INTO etl.rejects VALUES ('I', 2, 'ventes', 4)`, 2, false},
		"no text":                  {`UPDATE etl.errors SET error_details = '' WHERE field = 'c'`, 2, false},
		"other file":               {`UPDATE etl.errors SET file = 'g.csv' WHERE field = 'c'`, 2, false},
		"line of the log missing":  {`DELETE FROM proof_log WHERE line_number = 3`, 1, false},
		"line of the log repeated": {`INSERT INTO proof_log SELECT * FROM proof_log`, 0, false},
		"line of another import":   {`INSERT INTO proof_log SELECT 'J', file, 9, error_details FROM proof_log`, 0, false},
		"log extra":                {`INSERT INTO proof_log VALUES ('I', 'f.csv', 4, 'Vide.')`, 1, false},
		"count of valid records":   {`UPDATE etl.files SET valid = 4`, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newProofDatabase(t)
			listed, err := d.testify(t.Context(), imp, says, planted)
			if err != nil || !listed {
				t.Fatalf("%t, %v", listed, err)
			}
			fill(t, d.conn)
			postgrestest.Exec(t, d.conn, test.change)
			lines, wrong := []comparison{}, 0
			for _, each := range comparisons(listed) {
				line, err := d.difference(t.Context(), imp, each)
				if err != nil {
					t.Fatal(err)
				}
				if lines = append(lines, line); line.missing+line.extra > 0 {
					wrong++
				}
				if line.count == 0 && name == "right" || line.missing+line.extra > int64(len(line.examples)) {
					t.Errorf("%+v", line)
				}
			}
			files, err := d.compareFiles(t.Context(), imp, says)
			if err != nil || len(files) != 1 || files[0].same == test.files {
				t.Errorf("%+v, %v", files, err)
			}
			if wrong != test.wrong {
				t.Errorf("%d comparisons differ, want %d: %+v", wrong, test.wrong, lines)
			}
			if err := printComparisons(files, lines, logCounts{}); errors.Is(err, errDiffers) != (test.wrong > 0 || test.files) {
				t.Errorf("%v", err)
			}
		})
	}
}

// fill makes what an import leaves in the database and the log.
func fill(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	postgrestest.Exec(t, conn, `INSERT INTO etl.imports (import_id, mode, file_date, status, generation, contract_hash) VALUES ('I', 'initial', '2024-10-07', 'réussi', 2, 'x')`)
	postgrestest.Exec(t, conn, `INSERT INTO etl.files (import_id, generation, resource, file, object_key, version_id, size_bytes, records, valid, rejected) VALUES ('I', 2, 'ventes', 'f.csv', 'k', 'v', 1, 5, 3, 2)`)
	postgrestest.Exec(t, conn, `INSERT INTO etl.errors (import_id, generation, resource, file, line_number, field, rule, error_details, processing_step) VALUES
		('I', 2, 'ventes', 'f.csv', 2, 'a, b', 'primaryKey', 'Vide.', $1), ('I', 2, 'ventes', 'f.csv', 2, 'c', 'type', 'Autre.', $1),
		('I', 2, 'ventes', 'f.csv', 3, NULL, 'quote', 'Un.', $1), ('I', 2, 'ventes', 'f.csv', 5, NULL, 'enrichment', 'Panne.', $1)`, etl.StepValidation)
	postgrestest.Exec(t, conn, `INSERT INTO etl.rejects VALUES ('I', 2, 'ventes', 2), ('I', 2, 'ventes', 3)`)
	postgrestest.Exec(t, conn, `INSERT INTO proof_log SELECT import_id, file, line_number, error_details FROM etl.errors WHERE rule <> 'enrichment'`)
}
