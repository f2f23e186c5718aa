package phase_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/record"
	"etl-dataloader/internal/validation"
)

// TestReordered: columns in another order are accepted, and told.
func TestReordered(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	uploaded := day().csv(t)
	uploaded["magasins"] = file{"csv", "opened_on,name,store_id,country,city\n2010-05-01,Nord,1,FR,Lille\n2012-06-01,Sud,2,FR,Nice\n"}
	r := l.upload(t, etl.ModeDaily, "2024-10-08", uploaded).all(t)
	if got := postgrestest.Scan[string](t, l.conn, `SELECT string_agg(concat_ws(' ', store_id, name, city, country, opened_on), '; ' ORDER BY store_id) FROM final.magasins`); got != "1 Nord Lille FR 2010-05-01; 2 Sud Nice FR 2012-06-01" {
		t.Errorf("the stores are %s", got)
	}
	logged := l.log.lines(t, validation.HeaderReordered)
	want := logLine{
		Level: "INFO", Message: validation.HeaderReordered, File: "store_data_20241008.csv", Step: etl.StepLoading, ImportID: r.imp.ImportID,
		Details: validation.HeaderOrder([]string{"opened_on", "name", "store_id", "country", "city"}),
	}
	if len(logged) != 1 || logged[0] != want {
		t.Errorf("logged %+v, want %+v", logged, want)
	}
	// The contract that an import was checked by is stored with it.
	if got := postgrestest.Scan[string](t, l.conn, `SELECT contract_hash FROM etl.imports WHERE import_id = $1`, r.imp.ImportID); got != l.common.Contract.Hash {
		t.Errorf("contract %s, want %s", got, l.common.Contract.Hash)
	}
}

// TestOtherColumns: columns that are missing or too many stop the import by name
// before anything is loaded.
func TestOtherColumns(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	uploaded := day().csv(t)
	uploaded["magasins"] = file{"csv", strings.Replace(uploaded["magasins"].text, "store_id,name", "id,name", 1)}
	r := l.upload(t, etl.ModeDaily, "2024-10-08", uploaded)
	r.through(t, "Open", "Scan")
	_, err := l.plan().Run(t.Context(), r.planIn())
	faulty, ok := errors.AsType[*fault.InvalidFile](err)
	want := []fault.RefusedFile{{File: "store_data_20241008.csv", Reason: validation.FileReason("utf-8", &record.FileError{Reason: "header", Missing: []string{"store_id"}, Hidden: []int{1}})}}
	if !ok || cmp.Diff(want, faulty.Files) != "" {
		t.Errorf("%v", err)
	}
	if n := postgrestest.Scan[int](t, l.conn, `SELECT count(*)::int FROM staging.magasins`); n != 0 {
		t.Errorf("%d rows are staged", n)
	}
}
