package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/registry/registrytest"
	"etl-dataloader/internal/report"
	"etl-dataloader/internal/validation"
)

var (
	emulator *registrytest.Emulator
	update   = flag.Bool("update", false, "rewrite golden files")
)

func TestMain(m *testing.M) {
	os.Exit(registrytest.Run(m, func(e *registrytest.Emulator) { emulator = e }))
}

func at(second int) time.Time { return time.Date(2024, 10, 9, 15, 0, second, 0, time.UTC) }

// cases are an import that succeeded with rejects, one that failed on a faulty
// file, and one that never sealed its list.
func cases() map[string]registry.Status {
	succeeded := registry.Status{
		Import: registry.Import{
			ImportID: "IMPORT_20241009_150000_001", Mode: etl.ModeDaily, FileDate: "2024-10-08",
			Status: etl.StatusSucceeded, Generation: 1, CreatedAt: at(0), StartedAt: at(20), EndedAt: at(95),
			Replay: registry.Replay{Number: 2, Source: "clients", Status: etl.StatusFailed, Reason: "La source <se tait>.", StartedAt: at(96), EndedAt: at(98)},
		},
		Replays: []registry.ReplayTotal{
			{Replay: 1, Resolved: 500, Skipped: 3, SourceTotal: registry.SourceTotal{Source: "clients", Asked: 564, Answered: 480, NotFound: 20, Failed: map[string]int64{"timeout": 64}, Calls: 9, Waits: 1, WaitSeconds: 30, WorkSeconds: 4}},
			{Replay: 2, Resolved: 7, SourceTotal: registry.SourceTotal{Source: "clients", Asked: 7, Answered: 7, Calls: 1}},
		},
		Attempts: []registry.Attempt{
			{Number: 1, Kind: etl.KindStart, Trigger: etl.TriggerFile, At: at(0), Generation: 1, ExecutionARN: "arn"},
			{
				Number: 2, Kind: etl.KindResume, Trigger: etl.TriggerCommand, By: "arn:aws:iam::111122223333:user/anne (clé AKIA1)", At: at(20), Generation: 1, ExecutionARN: "arn",
				FailedStep: etl.StepStaging, FailedReason: "La base <ne répond pas>.",
				Accepted: []registry.Acceptance{{What: registry.AcceptShrink, Resource: "produits", By: "arn:aws:iam::111122223333:user/anne", Trigger: etl.TriggerCommand, At: at(19)}},
			},
		},
		Chunks: map[string]int{"clients": 2},
		States: []registry.StateTotal{
			{State: "Open", Step: etl.StepLoading, Done: 1, StartedAt: at(1), FinishedAt: at(2), WorkSeconds: 0.4},
			{
				State: "Prepare", Step: etl.StepPersistence, Done: 2, Planned: 2, Counts: registry.Counts{Persisted: 1233567},
				StartedAt: at(3), FinishedAt: at(80), WorkSeconds: 130,
			},
		},
		Sources: []registry.SourceTotal{
			{
				Source: "clients", Asked: 1233567, Answered: 1200000, NotFound: 33000, Failed: map[string]int64{"timeout": 500, "record_error": 60, "other": 7},
				Calls: 1240, Waits: 3, WaitSeconds: 930, WorkSeconds: 2400.5, Dropped: 12,
			},
			{Source: "stocks <b>", Asked: 2, Answered: 2, Calls: 2, WorkSeconds: 0.25},
		},
		Files: []registry.FileTotal{
			{
				Resource: "clients", Key: "daily/client_data_20241008.csv", Status: etl.FileWithRejects, Done: true, WorkSeconds: 3700,
				Counts: registry.Counts{Read: 1234567, Valid: 1233567, Rejected: 1000, Enriched: 1233000, NotEnriched: 567, Persisted: 1233567, Errors: 1200},
			},
			{
				Resource: "produits", Key: "daily/product_data_20241008.csv", Status: etl.FileValid, Done: true, Unterminated: true,
				Counts: registry.Counts{Read: 9, Valid: 9, Skipped: 9},
			},
			{Resource: "stocks", Key: "daily/stock_data_20241008.csv", Status: etl.FileValid, Done: true, Counts: registry.Counts{Read: 5, Valid: 5, Persisted: 2, Kept: 3}},
			{Resource: "retours", Key: "daily/return_data_20241008.csv", Status: etl.FileValid, Done: true},
		},
	}
	faulty := registry.Status{
		Import: registry.Import{
			ImportID: "IMPORT_20241009_150000_002", Mode: etl.ModeInitial, FileDate: "2024-10-08",
			Status: etl.StatusFailed, Generation: 2, CreatedAt: at(0), StartedAt: at(0), EndedAt: at(9),
			State: "ScanFile", Step: etl.StepLoading, Fault: "InvalidFile", Reason: "Colonne manquante : nif.", Advice: "restart",
		},
		Files: []registry.FileTotal{{Resource: "clients", Key: "initial/client_data_20241008.csv", Status: etl.FileRejected, Reason: validation.FileEmpty, Counts: registry.Counts{Read: 3}}},
	}
	missing := registry.Status{Import: registry.Import{
		ImportID: "IMPORT_20241009_150000_003", Mode: etl.ModeDaily, FileDate: "2024-10-08", Status: etl.StatusFailed, Generation: 1,
		CreatedAt: at(0), StartedAt: at(0), EndedAt: at(3), Step: etl.StepLoading, Fault: "MissingFiles",
		Reason: control.ReasonMissingFiles([]string{"client_data"}),
	}}
	return map[string]registry.Status{"succeeded": succeeded, "faulty": faulty, "missing": missing}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := "testdata/" + name
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs; rerun with -update and read the diff (-want +got):\n%s", file, diff)
	}
}

func TestGolden(t *testing.T) {
	for name, status := range cases() {
		t.Run(name, func(t *testing.T) {
			r := report.Build(status, at(100))
			body, err := json.MarshalIndent(r, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".json", append(body, '\n'))
			var page bytes.Buffer
			if err := r.WriteHTML(&page); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".html", page.Bytes())
		})
	}
}

// The page is read by machines that help people: every table has its headers,
// the language is said, markup is balanced and texts are escaped.
func TestPageIsAccessible(t *testing.T) {
	for name, status := range cases() {
		var page bytes.Buffer
		if err := report.Build(status, at(100)).WriteHTML(&page); err != nil {
			t.Fatal(err)
		}
		text := page.String()
		for _, part := range []string{`<html lang="fr">`, `<title>`, `<main>`, `scope="col"`, status.Import.ImportID, string(status.Import.Status)} {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks %s", name, part)
			}
		}
		if strings.Contains(text, "<ne répond pas>") || strings.Contains(text, "<script") || strings.Contains(text, "http") {
			t.Errorf("%s: unescaped text, a script or a foreign address", name)
		}
		decoder := xml.NewDecoder(strings.NewReader(text))
		decoder.Entity = xml.HTMLEntity
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
		}
	}
}

// lossy is a store whose nth write fails.
type lossy struct {
	*objectstore.Store
	fail int
}

var errLost = errors.New("connection reset")

func (l *lossy) Put(ctx context.Context, key, contentType string, content []byte) error {
	if l.fail--; l.fail == 0 {
		return errLost
	}
	return l.Store.Put(ctx, key, contentType, content)
}

func TestWrite(t *testing.T) {
	clock := &registrytest.Clock{}
	r := emulator.Open(t, clock.Now)
	if _, err := r.MarkDue(t.Context(), etl.ModeDaily, "2024-10-08"); err != nil {
		t.Fatal(err)
	}
	imp, ok, err := r.Allot(t.Context(), registry.Entry{Mode: etl.ModeDaily, FileDate: "2024-10-08"}, etl.TriggerDeadline,
		func(name string) string { return name })
	if err != nil || !ok {
		t.Fatal(err)
	}
	for fail := 1; fail <= 3; fail++ { // the third write is none of the first report's
		bucket := emulator.Bucket(t)
		objects := &lossy{Store: objectstore.New(emulator.S3(t), bucket), fail: fail}
		w := report.Writer{Objects: objects, Registry: r, Now: clock.Now}
		location, _, err := w.Write(t.Context(), imp.ImportID)
		if (err == nil) != (fail == 3) || location != "s3://"+bucket+"/"+imp.ImportID+"/report.html" {
			t.Errorf("Write = %s, %v", location, err)
		}
		objects.fail = 0
		if _, _, err := w.Write(t.Context(), imp.ImportID); err != nil {
			t.Errorf("again: %v", err)
		}
		for _, name := range []string{"report.json", "report.html"} {
			key := imp.ImportID + "/" + name
			if _, err := emulator.S3(t).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: &key}); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		}
	}
	store := objectstore.New(emulator.S3(t), "any")
	if _, _, err := (report.Writer{Objects: store, Registry: r, Now: clock.Now}).Write(t.Context(), "IMPORT_NONE"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("unknown import: %v", err)
	}
}
