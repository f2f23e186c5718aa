package phase_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/record"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/totals"
	"etl-dataloader/internal/validation"
)

// expectRefused runs a state twice, which must name these files with these reasons
// both times and publish nothing, and looks at their statuses.
func (r *run) expectRefused(t *testing.T, again func() error, want ...fault.RefusedFile) {
	t.Helper()
	for range 2 {
		got, ok := errors.AsType[*fault.InvalidFile](fault.Lift(again()))
		if !ok {
			t.Fatal("the import goes on")
		}
		if diff := cmp.Diff(want, got.Files); diff != "" {
			t.Fatalf("refused (-want +got):\n%s", diff)
		}
	}
	for _, f := range want {
		if strings.HasPrefix(f.File, totals.Prefix) {
			continue
		}
		got := postgrestest.Scan[string](t, r.l.conn, `SELECT concat_ws(' ', status, reason) FROM etl.files WHERE (import_id, generation, file) = ($1, $2, $3)`, r.imp.ImportID, r.imp.Generation, f.File)
		if got != string(etl.FileRejected)+" "+f.Reason {
			t.Errorf("%s is %q in the database", f.File, got)
		}
	}
	for _, f := range r.l.registry.imports[r.imp.ImportID].Files {
		refused := false
		for _, w := range want {
			if strings.HasSuffix(f.Key, "/"+w.File) {
				refused = f.Reason == w.Reason && f.Status == etl.FileRejected
				if !refused {
					t.Errorf("%s is %q, %q in the registry", w.File, f.Status, f.Reason)
				}
			}
		}
		if !refused && f.Status == etl.FileRejected {
			t.Errorf("%s is refused in the registry", f.Key)
		}
	}
	if n := r.l.count(t, `SELECT count(*) FROM etl.imports WHERE import_id = $1 AND published_at IS NOT NULL`, r.imp.ImportID); n != 0 {
		t.Error("it is published")
	}
}

// TestAllFaultyFilesAtOnce: one failure names every faulty file, before anything is
// protected; the import starts over with corrected files.
func TestAllFaultyFilesAtOnce(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.maxFileBytes = 2000
	sent := day().csv(t)
	sent["magasins"] = file{"csv", ""}
	sent["produits"] = file{"csv", "\xff\xfep\x00"}
	sent["employes"] = file{"json", `{"employee_id":1}`}
	sent["stocks"] = file{"csv", strings.Replace(sent["stocks"].text, "quantity", "quantite", 1)}
	sent["retours"] = file{"csv", sent["retours"].text + strings.Repeat("903,1003,5,autre,2024-10-08\n", 100)}
	r := l.upload(t, etl.ModeDaily, "2024-10-08", sent)
	r.through(t, "Open", "Scan")
	plan := func() error {
		_, err := l.plan().Run(t.Context(), r.planIn())
		return err
	}
	r.expectRefused(t, plan,
		fault.RefusedFile{File: "product_data_20241008.csv", Reason: validation.FileEncoding("utf-8")},
		fault.RefusedFile{File: "store_data_20241008.csv", Reason: validation.FileEmpty},
		fault.RefusedFile{File: "stock_data_20241008.csv", Reason: validation.FileReason("utf-8", &record.FileError{Reason: "header", Missing: []string{"quantity"}, Extra: []string{"quantite"}})},
		fault.RefusedFile{File: "return_data_20241008.csv", Reason: validation.FileTooLarge(int64(len(sent["retours"].text)), 2000)},
		fault.RefusedFile{File: "employee_data_20241008.json", Reason: validation.FileFormat})
	if logged := l.log.lines(t, phase.LogFileRefused); len(logged) != 5 || logged[0].Level != "ERROR" || logged[0].File != "product_data_20241008.csv" || logged[0].ImportID != r.imp.ImportID {
		t.Errorf("logged %+v", logged)
	}
	if n := l.count(t, `SELECT count(*) FROM pg_tables WHERE schemaname = 'partitions' AND tablename LIKE '%20241009%'`); n != 0 {
		t.Errorf("%d tables were made", n)
	}
	for key := range l.workObjects(t) {
		if !strings.Contains(key, "/chunks/") {
			t.Errorf("%s was written", key)
		}
	}
	second := l.restarted(t, r, day().csv(t)).all(t)
	l.expectPublished(t, second, day(), map[string]int64{})
	if s := l.registry.statusOf(r.imp.ImportID, "magasins"); s != (registry.FileStatus{Status: etl.FileValid}) {
		t.Errorf("the corrected file is %+v", s)
	}
}

// TestOversizeIsNotRead: a file past the limit is refused by its size alone.
func TestOversizeIsNotRead(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.maxFileBytes = 1 << 30
	out, err := l.scan().Run(t.Context(), phase.ScanIn{
		Import: phase.Import{ImportID: "IMPORT_20241009_150000_001", Generation: 1, Mode: etl.ModeInitial, FileDate: "2024-10-08"},
		File:   phase.File{Resource: "ventes", File: "sales_data_20241008.csv", Key: "initial/not-there.csv", VersionID: "v", Bytes: 1<<30 + 1, Format: "csv"},
	})
	if err != nil || out.Refused != validation.FileTooLarge(1<<30+1, 1<<30) {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestRaisedLimit: what an execution refused for its size is not «rejeté» any more
// when the next one of the generation, with a higher limit, takes it.
func TestRaisedLimit(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	sent := day().
		with("stocks", slices.Repeat([]string{"1,1,10,2024-10-08T20:00:00Z"}, 50)...).
		with("retours", slices.Repeat([]string{"903,1003,5,autre,2024-10-08"}, 100)...).csv(t)
	stocks, returns := int64(len(sent["stocks"].text)), int64(len(sent["retours"].text))
	r := l.upload(t, etl.ModeDaily, "2024-10-08", sent)
	plan := func() error {
		_, err := l.plan().Run(t.Context(), r.planIn())
		return err
	}
	tooLarge := func(name string, size int64) fault.RefusedFile {
		return fault.RefusedFile{File: name, Reason: validation.FileTooLarge(size, l.maxFileBytes)}
	}
	l.maxFileBytes = stocks - 1
	r.through(t, "Open", "Scan").expectRefused(t, plan, tooLarge("stock_data_20241008.csv", stocks), tooLarge("return_data_20241008.csv", returns))
	l.maxFileBytes = stocks
	r.through(t, "Open", "Scan").expectRefused(t, plan, tooLarge("return_data_20241008.csv", returns))
	expectStatus := func(resource, want string) {
		t.Helper()
		got := postgrestest.Scan[string](t, l.conn, `SELECT concat(status, reason) FROM etl.files WHERE import_id = $1 AND resource = $2`, r.imp.ImportID, resource)
		if s := l.registry.statusOf(r.imp.ImportID, resource); got != want || string(s.Status)+s.Reason != want {
			t.Errorf("%s is %q in the database and %+v in the registry, want %q", resource, got, s, want)
		}
	}
	expectStatus("stocks", "")
	l.maxFileBytes = returns
	r.through(t, "Open", "Scan")
	l.registry.statusBroken = &fault.Transient{Op: "write", Err: errors.New("busy")}
	if plan() == nil {
		t.Error("the failure to write is not told")
	}
	r.through(t, "Plan", "IndexStaging")
	expectStatus("stocks", "")
	expectStatus("retours", "")
	r.through(t, "CrossCheck", "Publish")
	expectStatus("stocks", string(etl.FileWithRejects))
}

// TestStatusNotSaved: a refusal whose status could not be written, or was written
// and not answered, is told by the next try.
func TestStatusNotSaved(t *testing.T) {
	t.Parallel()
	for name, saved := range map[string]bool{"failed, not saved": false, "failed, but saved": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLine(t)
			sent := day().csv(t)
			sent["magasins"] = file{"csv", ""}
			r := l.upload(t, etl.ModeDaily, "2024-10-08", sent).through(t, "Open", "Scan")
			l.registry.statusBroken, l.registry.statusSaved = &fault.Transient{Op: "write", Err: errors.New("busy")}, saved
			plan := func() error {
				_, err := l.plan().Run(t.Context(), r.planIn())
				return err
			}
			if _, ok := errors.AsType[*fault.Transient](fault.Lift(plan())); !ok {
				t.Error("the failure to write is not told")
			}
			r.expectRefused(t, plan, fault.RefusedFile{File: "store_data_20241008.csv", Reason: validation.FileEmpty})
		})
	}
}

// TestRefusalOfAnOldGeneration writes no status.
func TestRefusalOfAnOldGeneration(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	sent := day().csv(t)
	sent["magasins"] = file{"csv", ""}
	first := l.upload(t, etl.ModeDaily, "2024-10-08", sent).through(t, "Open", "Scan")
	l.restarted(t, first, day().csv(t)).state(t, "Open")
	if _, err := l.plan().Run(t.Context(), first.planIn()); !isSuperseded(err) {
		t.Errorf("a late twin got %v", err)
	}
	if n := l.count(t, `SELECT count(*) FROM etl.files WHERE status IS NOT NULL`); n != 0 {
		t.Errorf("%d files have a status", n)
	}
}

// TestEmptiedReload: a reload file of which every record is rejected, be it for its
// parents alone, never empties its table.
func TestEmptiedReload(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.upload(t, etl.ModeDaily, "2024-10-07", day().csv(t)).all(t)
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().only("categories", "1,,", "2,,").csv(t)).through(t, "Open", "IndexStaging")
	check := func() error {
		_, err := l.crossCheck().Run(t.Context(), r.importIn())
		return err
	}
	r.expectRefused(t, check,
		fault.RefusedFile{File: "product_data_20241008.csv", Reason: validation.FileNoValidRecord(3)},
		fault.RefusedFile{File: "category_data_20241008.csv", Reason: validation.FileNoValidRecord(2)})
	if n := l.count(t, `SELECT count(*) FROM final.produits WHERE file_date = '2024-10-07'`); n != 3 {
		t.Errorf("%d products are published", n)
	}
	if s := l.registry.statusOf(r.imp.ImportID, "ventes"); s.Status != etl.FileWithRejects {
		t.Errorf("the sales are %+v", s)
	}
	second := l.restarted(t, r, day().csv(t)).all(t)
	l.expectPublished(t, second, day(), map[string]int64{})
}

// TestFileStatusesInBothPlaces: what CrossCheck stores for a file is what a file
// with rejects has, in both places, and a second run changes nothing.
func TestFileStatusesInBothPlaces(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	r := twice(t, l.upload(t, etl.ModeDaily, "2024-10-08", day().with("magasins", "3,,Metz,FR,2010-01-01").csv(t))).all(t)
	for _, f := range l.registry.imports[r.imp.ImportID].Files {
		want := etl.FileValid
		if f.Resource == "magasins" {
			want = etl.FileWithRejects
		}
		if got := postgrestest.Scan[etl.FileStatus](t, l.conn, `SELECT status FROM etl.files WHERE import_id = $1 AND resource = $2`, r.imp.ImportID, f.Resource); got != want || f.Status != want {
			t.Errorf("%s is %q in the database and %q in the registry, want %q", f.Resource, got, f.Status, want)
		}
	}
}

// controlOf is the control file of a date's uploads.
func controlOf(t *testing.T, l *line, sent files, spoil func(map[string]totals.Total)) file {
	t.Helper()
	all := map[string]totals.Total{}
	for _, r := range l.common.Contract.Resources {
		text := sent[r.Name].text
		all[r.FileType+"_20241008."+sent[r.Name].format] = totals.Total{
			Records: int64(strings.Count(text, "\n")) - 1, Bytes: int64(len(text)), SHA256: sha256.Sum256([]byte(text)),
		}
	}
	if spoil != nil {
		spoil(all)
	}
	made, err := totals.New(all)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := made.Write(&text); err != nil {
		t.Fatal(err)
	}
	return file{"json", text.String()}
}

// TestControlTotals: with the right totals an import goes as without them.
func TestControlTotals(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.chunkRecords = 2
	sent := day().with("magasins", "3,Trop,de,champs,2010-01-01,encore").csv(t)
	sent["control"] = controlOf(t, l, sent, nil)
	r := twice(t, l.upload(t, etl.ModeDaily, "2024-10-08", sent)).all(t)
	l.expectPublished(t, r, day().with("magasins", "x"), map[string]int64{"magasins": 1})
	if r.opened.Control == nil || len(r.opened.Files) != 10 {
		t.Errorf("opened %+v", r.opened)
	}
	if s := l.registry.statusOf(r.imp.ImportID, totals.Prefix); s.Status != etl.FileValid {
		t.Errorf("the control file is %+v", s)
	}
}

// TestControlDiffers: every figure that differs refuses its file by name; a control
// file that does not name the very files, or cannot be read, is refused itself.
func TestControlDiffers(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	const sales, stores = "sales_data_20241008.csv", "store_data_20241008.csv"
	differ := func(name string, texts ...string) fault.RefusedFile {
		return fault.RefusedFile{File: name, Reason: totals.Differs(texts)}
	}
	control := func(reason string) fault.RefusedFile {
		return fault.RefusedFile{File: "control_20241008.json", Reason: reason}
	}
	size := int64(len(day().csv(t)["magasins"].text))
	for name, c := range map[string]struct {
		spoil func(map[string]totals.Total)
		file  string // instead of a written one
		want  []fault.RefusedFile
	}{
		"records": {func(all map[string]totals.Total) {
			f := all[sales]
			f.Records = 9
			all[sales] = f
		}, "", []fault.RefusedFile{differ(sales, totals.RecordsDiffer(9, 4))}},
		"bytes and content of two files": {func(all map[string]totals.Total) {
			f, g := all[stores], all[sales]
			f.Bytes++
			g.SHA256[0]++
			all[stores], all[sales] = f, g
		}, "", []fault.RefusedFile{differ(sales, totals.ContentDiffers), differ(stores, totals.BytesDiffer(size+1, size))}},
		"another file in place of one": {func(all map[string]totals.Total) {
			all["sales_data_20241009.csv"] = all[sales]
			all["Jean.Dupont"] = all[sales]
			delete(all, sales)
		}, "", []fault.RefusedFile{control(totals.OtherFiles([]string{sales}, []string{"sales_data_20241009.csv"}, 1))}},
		"not JSON": {nil, "records;bytes", []fault.RefusedFile{control(totals.FaultText(totals.Syntax, 1))}},
	} {
		sent := day().csv(t)
		sent["control"] = controlOf(t, l, sent, c.spoil)
		if c.file != "" {
			sent["control"] = file{"json", c.file}
		}
		r := l.upload(t, etl.ModeDaily, "2024-10-08", sent).through(t, "Open", "Scan")
		r.expectRefused(t, func() error {
			_, err := l.plan().Run(t.Context(), r.planIn())
			return err
		}, c.want...)
		for _, f := range l.registry.imports[r.imp.ImportID].Files {
			if f.ByControl != (f.Status == etl.FileRejected && f.Resource != totals.Prefix) {
				t.Errorf("%s: %s: by control %v", name, f.Resource, f.ByControl)
			}
		}
	}
}

// TestControlBesideOtherFaults: one failure tells what Scan found and what differs.
func TestControlBesideOtherFaults(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	sent := day().csv(t)
	sent["control"] = controlOf(t, l, sent, nil)
	sent["ventes"] = file{"csv", strings.TrimSuffix(sent["ventes"].text, "1004,101,1,2,1,12.50,12.50,2024-10-05,web\n")}
	sent["magasins"] = file{"csv", ""}
	r := l.upload(t, etl.ModeDaily, "2024-10-08", sent).through(t, "Open", "Scan")
	_, err := l.plan().Run(t.Context(), r.planIn())
	got, ok := errors.AsType[*fault.InvalidFile](fault.Lift(err))
	if !ok || len(got.Files) != 2 || got.Files[0].File != "store_data_20241008.csv" || !strings.Contains(got.Files[1].Reason, totals.RecordsDiffer(4, 3)) {
		t.Errorf("%v", err)
	}
}

// TestRequireControl: where it is mandatory the control file is missing like the
// ten.
func TestRequireControl(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	sent := day().csv(t)
	delete(sent, "ventes")
	open := l.open()
	open.RequireControl = true
	r := l.upload(t, etl.ModeDaily, "2024-10-08", sent)
	_, err := open.Run(t.Context(), r.openIn())
	if got, ok := errors.AsType[*fault.MissingFiles](fault.Lift(err)); !ok || cmp.Diff([]string{"sales_data", "control"}, got.Missing) != "" {
		t.Errorf("%v", err)
	}
	sent = day().csv(t)
	sent["control"] = controlOf(t, l, sent, nil)
	l.deliver(t, etl.ModeDaily, "2024-10-08", sent)
	if out, err := open.Run(t.Context(), r.openIn()); err != nil || out.Control == nil {
		t.Errorf("%+v, %v", out.Control, err)
	}
}
