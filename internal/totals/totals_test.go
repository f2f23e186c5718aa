package totals_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"etl-dataloader/internal/record"
	"etl-dataloader/internal/totals"
)

var update = flag.Bool("update", false, "rewrite golden files")

func examples(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", folder, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no examples in %s: %v", folder, err)
	}
	found := map[string][]byte{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found[filepath.Base(path)] = text
	}
	return found
}

func TestAccepted(t *testing.T) {
	for name, text := range examples(t, "accepted") {
		got, err := totals.Parse(bytes.NewReader(text))
		if err != nil || len(got.Names()) == 0 {
			t.Errorf("%s: %v, %v", name, got.Names(), err)
		}
		marked, err := totals.Parse(bytes.NewReader(append([]byte("\xEF\xBB\xBF"), text...)))
		if err != nil || len(marked.Names()) != len(got.Names()) {
			t.Errorf("%s with a byte order mark: %v", name, err)
		}
	}
}

// What docs/control-schema.json refuses, and what only a parser can see. The
// schema itself is held to the same files in infra/proof/agreement.
func TestRefused(t *testing.T) {
	reasons := map[string]string{
		"negative.json": totals.BadNumber, "file_twice.json": totals.Duplicate, "member_twice.json": totals.Duplicate,
		"files_twice.json": totals.Duplicate, "short_hash.json": totals.BadHash, "folder.json": totals.BadName,
		"unknown_member.json": totals.UnknownMember, "missing_member.json": totals.UnknownMember, "other_case.json": totals.UnknownMember,
		"no_files.json": totals.UnknownMember, "no_file.json": totals.NoFile, "latin1.json": totals.Syntax, "exponent.json": totals.BadNumber,
	}
	for _, folder := range []string{"refused", "parser"} {
		for name, text := range examples(t, folder) {
			got, err := totals.Parse(bytes.NewReader(text))
			e, ok := errors.AsType[*totals.Error](err)
			if !ok || e.Offset <= 0 || len(got.Names()) > 0 {
				t.Errorf("%s: %v, %v", name, got.Names(), err)
				continue
			}
			if want := reasons[name]; want != "" && e.Reason != want {
				t.Errorf("%s: %s, want %s", name, e.Reason, want)
			}
		}
	}
}

// A file of any size costs a megabyte at most.
func TestParseIsBounded(t *testing.T) {
	read := 0
	endless := readerFunc(func(p []byte) (int, error) {
		for i := range p {
			p[i] = ' '
		}
		read += len(p)
		return len(p), nil
	})
	_, err := totals.Parse(endless)
	if e, ok := errors.AsType[*totals.Error](err); !ok || e.Reason != totals.TooLarge {
		t.Errorf("Parse: %v", err)
	}
	if read > 2*totals.MaxBytes {
		t.Errorf("%d bytes read", read)
	}
	if _, err := totals.Parse(strings.NewReader(strings.Repeat("[", totals.MaxBytes))); err == nil {
		t.Error("deep nesting is accepted")
	}
	if _, err := totals.Parse(iotest.ErrReader(io.ErrUnexpectedEOF)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a reader that fails: %v", err)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// example is the day of docs/control-example.json.
func example(t *testing.T) totals.Totals {
	t.Helper()
	files := map[string]totals.Total{}
	for i, name := range []string{"client_data_20241008.csv", "sales_data_20241008.jsonl", "return_data_20241008.json"} {
		files[name] = totals.Total{Records: int64(i+1) * 1200, Bytes: int64(i+1) * 97_013, SHA256: sha256.Sum256([]byte(name))}
	}
	all, err := totals.New(files)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWriteIsTheDocumentedExample(t *testing.T) {
	var got bytes.Buffer
	if err := example(t).Write(&got); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("..", "..", "docs", "control-example.json")
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("docs/control-example.json (-want +got); rerun with -update and read the diff:\n%s", diff)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, files := range map[string]map[string]totals.Total{
		"nothing": {}, "folder": {"daily/a.csv": {}}, "hidden": {".a": {}}, "records": {"a": {Records: -1}}, "bytes": {"a": {Bytes: -1}},
	} {
		if _, err := totals.New(files); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Whatever is written is read again as the same.
func TestWrittenAndRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		files := rapid.MapOfN(rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9_.-]{0,30}`), rapid.Custom(func(t *rapid.T) totals.Total {
			return totals.Total{
				Records: rapid.Int64Min(0).Draw(t, "records"), Bytes: rapid.Int64Min(0).Draw(t, "bytes"),
				SHA256: sha256.Sum256(rapid.SliceOf(rapid.Byte()).Draw(t, "content")),
			}
		}), 1, 12).Draw(t, "files")
		written, err := totals.New(files)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := written.Write(&text); err != nil {
			t.Fatal(err)
		}
		read, err := totals.Parse(&text)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range files {
			if got, ok := read.File(name); !ok || got != want {
				t.Fatalf("%s: %+v, %t; want %+v", name, got, ok, want)
			}
		}
		if len(read.Names()) != len(files) {
			t.Fatalf("names %v", read.Names())
		}
	})
}

func TestDifferences(t *testing.T) {
	said := totals.Total{Records: 3, Bytes: 4120, SHA256: sha256.Sum256([]byte("a"))}
	if got := said.Differences(said); got != nil {
		t.Errorf("the same: %v", got)
	}
	got := said.Differences(totals.Total{Records: 2, Bytes: 12, SHA256: sha256.Sum256([]byte("b"))})
	want := []totals.Difference{
		{Member: totals.Records, Declared: 3, Found: 2},
		{Member: totals.Bytes, Declared: 4120, Found: 12},
		{Member: totals.SHA256},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	if text := fmt.Sprint(got[0], "; ", got[2]); text != "3 enregistrements annoncés, 2 trouvés; "+totals.ContentDiffers {
		t.Error(text)
	}
	if _, ok := (totals.Totals{}).File("a"); ok {
		t.Error("no totals name a file")
	}
}

func TestName(t *testing.T) {
	if got := totals.Name(time.Date(2024, 10, 8, 0, 0, 0, 0, time.UTC)); got != "control_20241008.json" {
		t.Error(got)
	}
}

func TestMeasure(t *testing.T) {
	csv := record.Layout{Format: record.CSV, Delimiter: ',', Quote: '"', Columns: []string{"id", "name"}}
	lines := record.Layout{Format: record.JSONL, Columns: csv.Columns}
	for name, test := range map[string]struct {
		layout  record.Layout
		text    string
		records int64
	}{
		"malformed ones count, blank lines and the header do not": {csv, "id,name\n1,a\n\n2\n3,\"c\"x\n4,d\n", 4},
		"a header alone":      {csv, "id,name\n", 0},
		"no line end":         {csv, "id,name\n1,a", 1},
		"JSON Lines":          {lines, "{\"id\":1,\"name\":\"a\"}\n\n{\n", 2},
		"faulty as a whole":   {csv, "another,header\n1,a\n", 0},
		"empty":               {csv, "", 0},
		"larger than buffers": {csv, "id,name\n" + strings.Repeat("12345678,abcdefgh\n", 200_000), 200_000},
	} {
		got, err := totals.Measure(iotest.HalfReader(strings.NewReader(test.text)), test.layout)
		want := totals.Total{Records: test.records, Bytes: int64(len(test.text)), SHA256: sha256.Sum256([]byte(test.text))}
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
	}
	broken := io.MultiReader(strings.NewReader("id,name\n1,a\n"), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := totals.Measure(broken, csv); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a reader that fails: %v", err)
	}
	faulty := io.MultiReader(strings.NewReader("x\n"+strings.Repeat("y", 1<<22)), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := totals.Measure(faulty, csv); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a faulty file whose reader fails: %v", err)
	}
}

// FuzzParse: what is accepted is JSON, and is read the same when it is written.
func FuzzParse(f *testing.F) {
	for _, folder := range []string{"accepted", "refused", "parser"} {
		for _, text := range examples(f, folder) {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := totals.Parse(bytes.NewReader(text))
		if err != nil {
			if _, ok := errors.AsType[*totals.Error](err); !ok {
				t.Fatalf("Parse: %v", err)
			}
			return
		}
		if !json.Valid(bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF"))) {
			t.Fatalf("%q is accepted and no JSON", text)
		}
		var written bytes.Buffer
		if err := got.Write(&written); err != nil {
			t.Fatal(err)
		}
		again, err := totals.Parse(&written)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range got.Names() {
			a, _ := got.File(name)
			if b, ok := again.File(name); !ok || a != b {
				t.Fatalf("%s: %+v and %+v", name, a, b)
			}
		}
	})
}
