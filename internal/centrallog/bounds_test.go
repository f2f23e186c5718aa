package centrallog_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"etl-dataloader/internal/awstest"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
)

// TestBounds: a line is bounded whatever it is given, shows no control character
// of a name that comes from outside, and stays JSON.
func TestBounds(t *testing.T) {
	t.Parallel()
	monster := strings.Repeat("é\x1b]0;titre\u0085\u202e\u2028\n\x7f", 100_000)
	many := make([]string, 100_000)
	got := line(t, at, slog.LevelError, monster, []any{slog.String("a", monster), centrallog.ImportID(monster)},
		centrallog.File(monster), centrallog.Details(monster), centrallog.Step(etl.Step(monster)), slog.Any("error", errors.New(monster)),
		slog.Any("list", many), slog.Any("map", map[string]string{"\u202e": monster}), slog.Any("bytes", []byte(monster)), slog.String(monster, "v"))
	if err := awstest.LogEvent([]byte(got)); err != nil {
		t.Error(err)
	}
	if len(got) > 20*message.TextBytes {
		t.Errorf("a line of %d bytes", len(got))
	}
	if text := strings.TrimSuffix(got, "\n"); message.Visible(text) != text {
		t.Errorf("the line acts upon a terminal: %q", text[:200])
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(got), &members); err != nil {
		t.Fatal(err)
	}
	if details, _ := members["error_details"].(string); !strings.HasSuffix(details, " [coupé]") {
		t.Errorf("the details are %v", members["error_details"])
	}
}

// TestNames: a name with control characters is one string of the line, with its
// escapes to be seen.
func TestNames(t *testing.T) {
	t.Parallel()
	got := line(t, at, slog.LevelWarn, "m", nil, centrallog.File("daily/a\n{\"level\":\"INFO\"}\u202e.csv"))
	if want := `"file":"daily/a\\n{\"level\":\"INFO\"}\\u202e.csv"`; !strings.Contains(got, want) {
		t.Errorf("got %s", got)
	}
}
