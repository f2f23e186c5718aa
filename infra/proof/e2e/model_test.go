//go:build e2e

package e2e

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/contract"
)

// published is a record that readers see, and where it came from. It is noted as JSON.
type published struct {
	ImportID   string
	Generation int
	Date       string
	Value      value
}

// model is what the published tables must hold, by the oracle's word: the rows
// of each resource by key.
type model map[string]map[string]published

// publish applies an import to the model as the requirements say (R6.2).
func (m model) publish(pkg *contract.Package, imp stack.Import, of set, v verdict) {
	for _, r := range pkg.Resources {
		rows := m[r.Name]
		if r.Load == contract.LoadReload || of.Mode == "initial" {
			if newest(rows) > of.Date {
				continue
			}
			rows = map[string]published{}
		}
		for _, record := range v.values[r.Name] {
			key := strings.Join(record.Key, "|")
			if rows[key].Date <= of.Date {
				rows[key] = published{ImportID: imp.ImportID, Generation: imp.Generation, Date: of.Date, Value: record}
			}
		}
		m[r.Name] = rows
	}
}

// newest is the latest file date of rows.
func newest(rows map[string]published) string {
	latest := ""
	for _, r := range rows {
		latest = max(latest, r.Date)
	}
	return latest
}

// origin names a row: no two records of an import share a line of a file.
type origin struct {
	importID string
	line     int64
}

// check compares every row and column of the published tables with the model.
func (m model) check(t *testing.T, s *system, v *vault) {
	t.Helper()
	for _, r := range s.contract.Resources {
		want := map[origin]published{}
		for _, p := range m[r.Name] {
			want[origin{p.ImportID, p.Value.Line}] = p
		}
		s.rows(t, r, func(at origin, generation int, date string, cells map[string]any) {
			p, known := want[at]
			if !known {
				t.Errorf("final.%s holds line %d of %s, which the oracle does not want", r.Name, at.line, at.importID)
				return
			}
			delete(want, at)
			if p.Generation != generation || p.Date != date {
				t.Errorf("final.%s, line %d: generation %d and date %s, want %d and %s", r.Name, at.line, generation, date, p.Generation, p.Date)
			}
			compareRow(t, v, r, scope{at.importID, generation, r.Name}, p.Value, cells)
		})
		for at := range want {
			t.Errorf("final.%s lacks line %d of %s", r.Name, at.line, at.importID)
		}
	}
}

// rows passes every row of a target table: its columns by name, bytea as bytes
// and all else as text.
func (s *system) rows(t *testing.T, r *contract.Resource, each func(at origin, generation int, date string, cells map[string]any)) {
	t.Helper()
	var columns []string
	for _, c := range r.TargetColumns() {
		switch c.SQLType {
		case "bytea":
			columns = append(columns, pgx.Identifier{c.Name}.Sanitize())
		case "timestamp with time zone":
			columns = append(columns, fmt.Sprintf(`(extract(epoch FROM %s) * 1000000)::bigint::text`, pgx.Identifier{c.Name}.Sanitize()))
		default:
			columns = append(columns, pgx.Identifier{c.Name}.Sanitize()+"::text")
		}
	}
	rows, err := s.db.Query(t.Context(), fmt.Sprintf(`SELECT import_id, line_number, generation, file_date::text, %s FROM final.%s`,
		strings.Join(columns, ", "), pgx.Identifier{r.Name}.Sanitize()))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			t.Fatal(err)
		}
		cells := map[string]any{}
		for i, c := range r.TargetColumns() {
			cells[c.Name] = values[4+i]
		}
		importID, _ := values[0].(string)
		number, _ := values[1].(int64)
		generation, _ := values[2].(int32)
		date, _ := values[3].(string)
		each(origin{importID, number}, int(generation), date, cells)
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
}

// compareRow compares the cells of a target row with the oracle's record.
func compareRow(t *testing.T, v *vault, r *contract.Resource, of scope, want value, cells map[string]any) {
	t.Helper()
	for _, f := range r.Fields {
		got := cells[f.Target]
		if sealed, ok := got.([]byte); ok {
			plain := v.open(t, of, v.record(r.Name, want.Line, cells), f.Name, sealed)
			if f.Sensitivity == contract.Token {
				token, _ := cells[f.Target+contract.TokenSuffix].([]byte)
				v.token(t, f, plain, token)
			}
			got = plain
		}
		if !equal(f, want.Target[f.Target], got) {
			t.Errorf("final.%s, line %d of %s, column %s: %v, want %v", r.Name, want.Line, of.importID, f.Target, got, want.Target[f.Target])
		}
	}
}

// equal compares the oracle's value of a field with what a target column holds,
// as text.
func equal(f *contract.Field, want, got any) bool {
	if want == nil || got == nil {
		return want == got
	}
	wanted, found := fmt.Sprint(want), fmt.Sprint(got)
	switch {
	case f.Sensitive():
		return wanted == found
	case f.Type == contract.TypeInteger || f.Type == contract.TypeNumber:
		return sameNumber(wanted, found)
	case f.Type == contract.TypeDateTime:
		at, err := time.Parse(time.RFC3339Nano, strings.ToUpper(wanted))
		return err == nil && fmt.Sprint(at.UnixMicro()) == found
	default:
		return wanted == found
	}
}

// sameNumber compares two decimal texts by value.
func sameNumber(a, b string) bool {
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	return okX && okY && x.Cmp(y) == 0
}
