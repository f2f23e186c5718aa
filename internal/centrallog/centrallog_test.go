package centrallog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"etl-dataloader/internal/centrallog"
)

var at = time.Date(2024, 10, 9, 10, 15, 30, 0, time.UTC)

// line writes one line at a time of its own.
func line(t *testing.T, when time.Time, level slog.Level, text string, with []any, attrs ...slog.Attr) string {
	t.Helper()
	var out bytes.Buffer
	record := slog.NewRecord(when, level, text, 0)
	record.AddAttrs(attrs...)
	if err := centrallog.New(&out, slog.LevelInfo).With(with...).Handler().Handle(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestRequirement is the example of requirement R8.1, byte for byte, whatever
// the order in which the attributes are given.
func TestRequirement(t *testing.T) {
	t.Parallel()
	const example = `{"timestamp":"2024-10-09T10:15:30Z","level":"ERROR","message":"Erreur de validation des données","file":"clients.csv","line_number":42,` +
		`"error_details":"Le champ 'first_name' est vide.","processing_step":"Validation des données","system":"ETL-DataLoader"`
	details, file := centrallog.Details("Le champ 'first_name' est vide."), centrallog.File("clients.csv")
	step, number := centrallog.Step("Validation des données"), centrallog.Line(42)
	got := line(t, at, slog.LevelError, "Erreur de validation des données", nil, step, number, details, file)
	if got != example+"}\n" {
		t.Errorf("got\n%swant\n%s}", got, example)
	}
	got = line(t, at, slog.LevelError, "Erreur de validation des données",
		[]any{centrallog.ImportID("IMPORT_20241009_150000_001"), file}, number, details, step, slog.String("state", "Validate"), slog.Int64("read", 7))
	if want := example + `,"import_id":"IMPORT_20241009_150000_001","state":"Validate","read":7}` + "\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestKeysThatDoNotApply(t *testing.T) {
	t.Parallel()
	if got, want := line(t, at, slog.LevelInfo, "m", nil), `{"timestamp":"2024-10-09T10:15:30Z","level":"INFO","message":"m","system":"ETL-DataLoader"}`+"\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestTimestamp(t *testing.T) {
	t.Parallel()
	for want, when := range map[string]time.Time{
		"2024-10-09T10:15:30Z":     at,
		"2024-10-09T10:15:30.123Z": at.Add(123_999_999),
		"2024-10-09T08:15:30Z":     time.Date(2024, 10, 9, 10, 15, 30, 0, time.FixedZone("", 7200)),
	} {
		if got := line(t, when, slog.LevelInfo, "m", nil); !strings.HasPrefix(got, `{"timestamp":"`+want+`"`) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	for level, want := range map[slog.Level]string{
		slog.LevelDebug: "INFO", slog.LevelInfo: "INFO", slog.LevelWarn: "WARN", slog.LevelWarn + 1: "WARN", slog.LevelError: "ERROR", slog.LevelError + 4: "ERROR",
	} {
		if got := line(t, at, level, "m", nil); !strings.Contains(got, `"level":"`+want+`"`) {
			t.Errorf("level %d: %s", level, got)
		}
	}
	var out bytes.Buffer
	log := centrallog.New(&out, slog.LevelWarn)
	log.Info("dropped")
	log.Warn("kept")
	if got := out.String(); strings.Contains(got, "dropped") || !strings.Contains(got, "kept") {
		t.Errorf("got %s", got)
	}
}

// TestValues: any value makes a line that is valid JSON.
func TestValues(t *testing.T) {
	t.Parallel()
	got := line(t, at, slog.LevelInfo, "a \"quoted\"\nmessage \xff", nil,
		slog.Any("error", errors.New("broken")), slog.Duration("waited", 1500*time.Millisecond), slog.Time("when", at),
		slog.Float64("nan", math.NaN()), slog.Any("list", []string{"a"}), slog.Any("nothing", nil), slog.Bool("yes", true))
	if strings.Count(got, "\n") != 1 {
		t.Errorf("it is more than one line: %q", got)
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(got), &members); err != nil {
		t.Fatalf("%q: %v", got, err)
	}
	for name, want := range map[string]any{"error": "broken", "waited": 1.5, "when": "2024-10-09T10:15:30Z", "nan": "unprintable", "nothing": nil, "yes": true} {
		if members[name] != want {
			t.Errorf("%s is %v, want %v", name, members[name], want)
		}
	}
}

// TestWith: attributes of a logger stay with it, and not with its sisters.
func TestWith(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	base := centrallog.New(&out, slog.LevelInfo).With(centrallog.ImportID("I"))
	one, two := base.With(slog.Int("n", 1)), base.WithGroup("ignored").With(slog.Int("n", 2))
	one.Info("one")
	two.Info("two", centrallog.File("f"))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for i, want := range []string{`"system":"ETL-DataLoader","import_id":"I","n":1}`, `"file":"f","system":"ETL-DataLoader","import_id":"I","n":2}`} {
		if !strings.HasSuffix(lines[i], want) {
			t.Errorf("got %s, want %s at its end", lines[i], want)
		}
	}
}

// TestConcurrent: lines are never mixed.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := centrallog.New(&out, slog.LevelInfo)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 100 {
				log.Info(strings.Repeat("x", 300), centrallog.Line(7))
			}
		})
	}
	wait.Wait()
	n := 0
	for text := range strings.Lines(out.String()) {
		if !json.Valid([]byte(text)) {
			t.Fatalf("%q", text)
		}
		n++
	}
	if n != 800 {
		t.Errorf("%d lines", n)
	}
}

// TestWriteFails: a log that cannot be written reports it.
func TestWriteFails(t *testing.T) {
	t.Parallel()
	reader, writer := io.Pipe()
	_ = reader.Close()
	if err := centrallog.New(writer, slog.LevelInfo).Handler().Handle(context.WithoutCancel(t.Context()), slog.NewRecord(at, slog.LevelInfo, "m", 0)); err == nil {
		t.Error("no error")
	}
}
