package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/totals"
)

// keptTotals are the control totals of an earlier delivery; none if there are no
// files.
type keptTotals struct {
	files map[string]totals.Total
	err   error
	asked []string
}

func (k *keptTotals) totals(_ context.Context, key string) (totals.Totals, bool, error) {
	k.asked = append(k.asked, key)
	if k.err != nil || k.files == nil {
		return totals.Totals{}, false, k.err
	}
	all, err := totals.New(k.files)
	return all, err == nil, err
}

// realFolder is a folder of real files with one record each, all ten if no
// resource is named.
func realFolder(t *testing.T, resources ...string) folder {
	t.Helper()
	f := tenFiles(t, daily, resources...)
	dir := t.TempDir()
	for i := range f.Files {
		r := compiled(t).Resource(f.Files[i].Resource)
		text := strings.Join(r.Columns(), ",") + "\n" + strings.Repeat(",", len(r.Columns())-1) + "\n\n"
		f.Files[i].Path, f.Files[i].Size, f.Files[i].Format = filepath.Join(dir, f.Files[i].Name), int64(len(text)), "csv"
		if err := os.WriteFile(f.Files[i].Path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// made adds control totals to a folder and reads them again.
func made(t *testing.T, f folder, there *keptTotals) (folder, totals.Totals) {
	t.Helper()
	with, remove, err := totalsMaker{pkg: compiled(t), names: names(t), there: there}.add(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	if with.Files[0].Resource != landing.Control {
		return with, totals.Totals{}
	}
	body, err := os.Open(with.Files[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	all, err := totals.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	return with, all
}

// The control totals of ten files are made of the local files, and go first.
func TestTotalsOfADay(t *testing.T) {
	f := realFolder(t)
	there := &keptTotals{}
	with, all := made(t, f, there)
	if with.Files[0].key() != "daily/control_20241008.json" || len(with.Files) != 11 || len(all.Names()) != 10 || there.asked != nil {
		t.Fatalf("%d files, first %s, names %v", len(with.Files), with.Files[0].key(), all.Names())
	}
	for _, file := range f.Files {
		text, err := os.ReadFile(file.Path)
		if err != nil {
			t.Fatal(err)
		}
		want := totals.Total{Records: 1, Bytes: file.Size, SHA256: sha256.Sum256(text)}
		if got, ok := all.File(file.Name); !ok || got != want {
			t.Errorf("%s: %+v, want %+v", file.Name, got, want)
		}
	}
	if _, err := os.Stat(with.Files[0].Path); !os.IsNotExist(err) {
		t.Errorf("the made file stays: %v", err)
	}
}

// Whatever a file is like, its total counts the records that an import reads of it:
// none of a file that is refused.
func TestTotalsOfFieldCases(t *testing.T) {
	const dir = "../proof/fieldcases"
	text, err := os.ReadFile(filepath.Join(dir, "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Main string
		Expect     struct {
			Accept    []int64
			Reject    []struct{ Line int64 }
			FileError any `json:"file_error"`
		}
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	measured := 0
	for _, c := range cases {
		parsed, err := names(t).Parse(string(daily) + "/" + c.Main)
		if err != nil || c.Expect.FileError != nil {
			continue
		}
		lines := map[int64]bool{}
		for _, r := range c.Expect.Reject {
			lines[r.Line] = true
		}
		files := map[string]totals.Total{}
		maker := totalsMaker{pkg: compiled(t), names: names(t)}
		if err := maker.measure([]localFile{{File: parsed, Name: c.Main, Path: filepath.Join(dir, c.Name, c.Main)}}, files); err != nil {
			t.Fatal(err)
		}
		measured++
		if want := int64(len(c.Expect.Accept) + len(lines)); files[c.Main].Records != want {
			t.Errorf("%s: %d records, want %d", c.Name, files[c.Main].Records, want)
		}
	}
	if measured < 50 {
		t.Errorf("only %d files were measured", measured)
	}
}

// A control file of the folder is uploaded as it is, first.
func TestTotalsOfTheFolder(t *testing.T) {
	f := tenFiles(t, daily) // files that do not exist: nothing is read
	own := localFile{Name: "control_20241008.json", Path: "/own", Size: 3}
	own.Mode, own.Date, own.Resource = daily, date, landing.Control
	f.Files = append(f.Files, own)
	with, remove, err := totalsMaker{pkg: compiled(t), names: names(t)}.add(t.Context(), f)
	defer remove()
	if err != nil || with.Files[0] != own || len(with.Files) != 11 {
		t.Errorf("first %+v of %d, %v", with.Files[0], len(with.Files), err)
	}
}

// Files that correct or complete a delivery take their places in its control
// totals; without any they get none.
func TestTotalsOfACorrection(t *testing.T) {
	f := realFolder(t, "clients")
	if with, _ := made(t, f, &keptTotals{}); len(with.Files) != 1 {
		t.Errorf("%d files", len(with.Files))
	}
	old := totals.Total{Records: 7, Bytes: 7}
	there := &keptTotals{files: map[string]totals.Total{"clients_20241008.json": old, "sales_data_20241008.csv": old}}
	with, all := made(t, f, there)
	if !slices.Equal(all.Names(), []string{"client_data_20241008.csv", "sales_data_20241008.csv"}) || len(with.Files) != 2 {
		t.Fatalf("names %v", all.Names())
	}
	if got, _ := all.File("sales_data_20241008.csv"); got != old {
		t.Errorf("sales %+v", got)
	}
	if got, _ := all.File("client_data_20241008.csv"); got.Records != 1 {
		t.Errorf("clients %+v", got)
	}
	lost := errors.New("connection reset")
	if _, _, err := (totalsMaker{pkg: compiled(t), names: names(t), there: &keptTotals{err: lost}}).add(t.Context(), f); !errors.Is(err, lost) {
		t.Errorf("add: %v", err)
	}
}

// No other file is uploaded before the control totals are.
func TestTotalsGoFirst(t *testing.T) {
	w := newWorld()
	d, _ := w.delivery(t, daily)
	d.folder = realFolder(t)
	d.totals = totalsMaker{pkg: compiled(t), names: names(t), there: &keptTotals{}}.add
	if _, err := d.deliver(t.Context(), true); err != nil || len(w.uploaded) != 11 || w.uploaded[0] != "daily/control_20241008.json" {
		t.Fatalf("uploaded %v, %v", w.uploaded, err)
	}
	if d.versions["daily/control_20241008.json"] == "" || len(d.versions) != 11 {
		t.Errorf("versions %v", d.versions)
	}
	w = newWorld()
	w.uploads = errors.New("access denied")
	d, _ = w.delivery(t, daily)
	d.folder = realFolder(t)
	d.totals = totalsMaker{pkg: compiled(t), names: names(t), there: &keptTotals{}}.add
	if _, err := d.deliver(t.Context(), true); !errors.Is(err, w.uploads) || len(d.versions) != 0 {
		t.Errorf("deliver: %v, versions %v", err, d.versions)
	}
}

// What lies in the bucket is read if it is there and can be.
func TestBucketTotals(t *testing.T) {
	text, status := "", http.StatusOK
	bucket := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if status != http.StatusOK {
			w.WriteHeader(status)
			if status == http.StatusNotFound {
				_, _ = w.Write([]byte(`<Error><Code>NoSuchKey</Code></Error>`))
			}
			return
		}
		_, _ = w.Write([]byte(text))
	}))
	defer bucket.Close()
	b := bucketTotals{bucket: "landing", client: s3.New(s3.Options{
		BaseEndpoint: aws.String(bucket.URL), Region: "eu-west-1", UsePathStyle: true, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})}
	ask := func(answer string, code int) (bool, error) {
		text, status = answer, code
		_, found, err := b.totals(t.Context(), "daily/control_20241008.json")
		return found, err
	}
	good := `{"files":{"a.csv":{"records":1,"bytes":2,"sha256":"` + strings.Repeat("a", 64) + `"}}}`
	if found, err := ask(good, http.StatusOK); err != nil || !found {
		t.Errorf("there: %t, %v", found, err)
	}
	if found, err := ask("{", http.StatusOK); err != nil || found {
		t.Errorf("faulty: %t, %v", found, err)
	}
	if found, err := ask("", http.StatusNotFound); err != nil || found {
		t.Errorf("none: %t, %v", found, err)
	}
	if _, err := ask("", http.StatusForbidden); err == nil {
		t.Error("forbidden: no error")
	}
}
