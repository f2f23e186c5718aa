package phase_test

import (
	"strings"
	"testing"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/record"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/validation"
)

// TestInvalidFiles: Scan tells why a file is faulty as a whole, and fails for none,
// so that the others are looked at too.
func TestInvalidFiles(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	const header = "store_id,name,city,country,opened_on"
	for name, c := range map[string]struct {
		file   file
		reason string
	}{
		"empty":             {file{"csv", ""}, validation.FileEmpty},
		"a mark alone":      {file{"csv", "\ufeff"}, validation.FileEmpty},
		"header alone":      {file{"csv", header + "\n"}, validation.FileNoRecord},
		"empty array":       {file{"json", "[]"}, validation.FileNoRecord},
		"missing column":    {file{"csv", "store_id,name,city,country\n1,a,b,FR\n"}, validation.FileReason("utf-8", &record.FileError{Reason: "header", Missing: []string{"opened_on"}})},
		"missing and extra": {file{"csv", "store_id,name,city,pays,opened_on\n1,a,b,FR,2010-01-01\n"}, validation.FileReason("utf-8", &record.FileError{Reason: "header", Missing: []string{"country"}, Hidden: []int{4}})},
		"UTF-16":            {file{"csv", "\xff\xfes\x00t\x00"}, "encodage"},
		"no array":          {file{"json", `{"store_id":1}`}, validation.FileFormat},
		"array cut off":     {file{"json", `[{"store_id":1},{"store_id":2,"na`}, validation.FileReason("utf-8", &record.FileError{Reason: "cut_off", Element: 2, Offset: 33})},
		"two arrays":        {file{"json", `[{"store_id":1}][{"store_id":2}]`}, validation.FileReason("utf-8", &record.FileError{Reason: "behind", Element: 1, Offset: 16})},
		"quote not escaped": {file{"json", `[{"store_id":1,"name":"TV 55"","city":"Lille"}]`}, validation.FileReason("utf-8", &record.FileError{Reason: "tokens", Element: 1, Offset: 29})},
		"array of lines":    {file{"jsonl", `[{"store_id":1}]`}, validation.FileArray},
		"pretty":            {file{"jsonl", "{\n\"store_id\": 1\n}\n"}, validation.FilePretty},
		"compressed":        {file{"jsonl", "\x1f\x8b\x08\x00"}, validation.FileCompressed},
		"CR alone":          {file{"csv", header + "\r1,Zoe,b,FR,2010-01-01\r"}, validation.FileLineEnds},
		"CR for LF":         {file{"csv", header + "\n1,Zoe,b,FR,2010-01-01\r2,Zoe,b,FR,2010-01-01\r"}, validation.FileCRLines},
		"CR between lines":  {file{"jsonl", `{"store_id":1}` + "\r" + `{"store_id":2}` + "\r"}, validation.FileCRLines},
		"no line end":       {file{"csv", header + strings.Repeat(",1,Zoe,b,FR,2010-01-01", 99)}, validation.FileLongHeader},
		"new member": {
			file{"jsonl", `{"store_id":1,"name":"a","city":"b","country":"FR","opened_on":"2010-01-01","color":1}`},
			validation.FileReason("utf-8", &record.FileError{Reason: "members", Extra: []string{"color"}}),
		},
		"renamed member": {
			file{"json", `[{"store_id":1,"nom":"a","city":"b","country":"FR","opened_on":"2010-01-01"}]`},
			validation.FileReason("utf-8", &record.FileError{Reason: "members", Missing: []string{"name"}, Hidden: []int{2}}),
		},
	} {
		date := "2024-10-08"
		r := l.upload(t, etl.ModeDaily, date, files{"magasins": c.file})
		arrival := l.registry.arrivals[string(etl.ModeDaily)+date]["magasins"]
		in := phase.ScanIn{Import: r.imp, File: phase.File{
			Resource: "magasins", File: "store_data_20241008." + c.file.format, Key: arrival.Key, VersionID: arrival.VersionID, Bytes: arrival.Size, Format: c.file.format,
		}}
		for range 2 {
			got, err := l.scan().Run(t.Context(), in)
			if err != nil || !strings.Contains(got.Refused, c.reason) || got.File != in.File.File || got.Object.Key != "" || got.Chunks != 0 {
				t.Errorf("%s: got %+v, %v, want %q", name, got, err, c.reason)
			}
		}
	}
}

// TestTinyRecords: a chunk of an initial import holds no more than a million
// records, however short they are.
func TestTinyRecords(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	text := "store_id,name,city,country,opened_on\n" + strings.Repeat("x\n", 1_000_001)
	r := l.upload(t, etl.ModeInitial, "2024-10-08", files{"magasins": {"csv", text}})
	arrival := l.registry.arrivals[string(etl.ModeInitial)+"2024-10-08"]["magasins"]
	scan := l.scan()
	scan.ChunkBytes = 0 // the default
	out, err := scan.Run(t.Context(), phase.ScanIn{Import: r.imp, File: phase.File{
		Resource: "magasins", File: "store_data_20241008.csv", Key: arrival.Key, VersionID: arrival.VersionID, Bytes: arrival.Size, Format: "csv",
	}})
	if err != nil || out.Records != 1_000_001 || out.Chunks != 2 {
		t.Errorf("%d records in %d chunks, %v", out.Records, out.Chunks, err)
	}
}

// TestFormats: the three formats, in any order of columns, with a mark and
// Windows line ends, give the same rows; JSON's own kinds are checked.
func TestFormats(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	sent := day().csv(t)
	sent["magasins"] = jsonl(t,
		map[string]any{"store_id": 1, "name": "Nord", "city": "Lille", "country": "FR", "opened_on": "2010-05-01"},
		map[string]any{"store_id": "2", "name": "Sud", "city": "Nice", "country": "FR", "opened_on": "2012-06-01"},
		map[string]any{"store_id": 3, "name": 42, "city": []string{"Metz"}, "country": "FR", "opened_on": "2012-06-01"},
		map[string]any{"store_id": 4, "name": "Est", "city": "Metz", "country": "FR", "opened_on": "2012-06-01", "extra": 1})
	sent["produits"] = array(t,
		map[string]any{"product_id": 1, "name": "Bêche", "category_id": 3, "supplier_id": 1, "unit_price": 12.5, "currency": "EUR", "active": true},
		map[string]any{"product_id": 2, "name": "Pelle", "category_id": 3, "supplier_id": 2, "unit_price": "8.00", "currency": "CHF", "active": "false"},
		map[string]any{"product_id": 3, "name": "Seau", "category_id": 2, "supplier_id": 2, "unit_price": 3.105, "currency": "EUR", "active": 1})
	sent["categories"] = file{"csv", "\ufeff" + strings.ReplaceAll("parent_category_id,name,category_id\n,Maison,1\n1,\"Jar\ndin\",2\n2,Outils,3\n", "\n", "\r\n")}
	r := l.upload(t, etl.ModeDaily, "2024-10-08", sent).all(t)
	l.expectErrors(t, r, "magasins",
		"3 | city | type | "+validation.TypeText("city", "string"), "3 | name | type | "+validation.TypeText("name", "string"),
		"4 | fields | "+validation.WrongFields(record.Detail{Hidden: 1, Positions: []int{3}}))
	l.expectErrors(t, r, "produits", "3 | active | type | "+validation.TypeText("active", "boolean"))
	l.expectErrors(t, r, "categories")
	got := postgrestest.Scan[string](t, l.conn, `SELECT string_agg(concat_ws(' ', product_id, name, unit_price, active, line_number), ', ' ORDER BY product_id) FROM final.produits`)
	if want := "1 Bêche 12.5 t 1, 2 Pelle 8.00 f 2"; got != want {
		t.Errorf("the products are %s, want %s", got, want)
	}
	got = postgrestest.Scan[string](t, l.conn, `SELECT string_agg(concat_ws(' ', category_id, parent_category_id, line_number), ', ' ORDER BY category_id) FROM final.categories`)
	if want := "1 2, 2 1 3, 3 2 5"; got != want {
		t.Errorf("the categories are %s, want %s", got, want)
	}
}

// TestMalformed: a line that cannot be read is one reject, and shifts nothing.
func TestMalformed(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	l.chunkRecords = 2
	r := l.upload(t, etl.ModeDaily, "2024-10-08", day().
		with("magasins", "3,Trop,de,champs,2010-01-01,encore", `4,"Est" oups,Metz,FR,2010-01-01`, "5,Ou\xffest,Brest,FR,2010-01-01", "6,Ce\x00ntre,Tours,FR,2010-01-01",
			"7,"+strings.Repeat("x", 1<<20)+",Tours,FR,2010-01-01", `8,"Jamais`, "9,Dernier,Tours,FR,2010-01-01").csv(t)).all(t)
	malformed := func(line, code string) string { return line + " | " + code + " | " + validation.MalformedText(code) }
	l.expectErrors(t, r, "magasins", "4 | fields | "+validation.WrongFields(record.Detail{Fields: 6, Expected: 5}), malformed("5", "quote"), malformed("6", "encoding"), malformed("7", "nul"), malformed("8", "size"), malformed("9", "quote"))
	if got := postgrestest.Scan[string](t, l.conn, `SELECT string_agg(store_id || ' ' || line_number, ', ' ORDER BY store_id) FROM final.magasins`); got != "1 2, 2 3, 9 10" {
		t.Errorf("the stores are %s", got)
	}
	if got := l.count(t, `SELECT count(*) FROM etl.errors WHERE resource = 'magasins' AND raw IS NOT NULL AND field IS NULL`); got != 6 {
		t.Errorf("%d errors keep the sealed line, want 6", got)
	}
}

// TestUnterminated: a last line without a line end is read like any other, and told:
// by a WARN, and to the registry, from which the report has it.
func TestUnterminated(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	sent := day().csv(t)
	sent["magasins"] = file{"csv", strings.TrimSuffix(sent["magasins"].text, "\n")}
	r := twice(t, l.upload(t, etl.ModeDaily, "2024-10-08", sent)).through(t, "Open", "Scan")
	r.around = nil
	r.through(t, "Plan", "Publish")
	l.expectPublished(t, r, day(), map[string]int64{})
	for _, line := range l.log.lines(t, registry.Unterminated) {
		if line.Level != "WARN" || line.File != "store_data_20241008.csv" || line.ImportID != r.imp.ImportID || line.Step != etl.StepLoading {
			t.Errorf("logged %+v", line)
		}
	}
	if len(l.log.lines(t, registry.Unterminated)) == 0 {
		t.Error("nothing is logged")
	}
	for _, resource := range []string{"magasins", "ventes"} {
		if told := l.registry.sum(r.imp, "Scan", resource).Unterminated; told != (resource == "magasins") {
			t.Errorf("%s: told %v", resource, told)
		}
	}
}
