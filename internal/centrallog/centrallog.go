// Package centrallog writes the central log: one JSON object per line, with fixed keys
// that are never renamed. Keys that do not apply are omitted. CloudWatch Logs stores
// the lines unchanged, and they can be shipped to Elasticsearch, OpenSearch or Azure
// Monitor as they are.
//
// Use the attribute functions of this package for the fixed keys; any further
// attribute follows them under its own name. Never pass the value of a field.
//
// Each text of a line is a [message.Text]: bounded, and harmless when it is shown on a
// terminal.
package centrallog

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"sync"
	"time"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
)

// system is the value of the key "system" in every line.
const system = "ETL-DataLoader"

// Keys of the central log, in the order in which they are written.
const (
	keyTimestamp = "timestamp"
	keyLevel     = "level"
	keyMessage   = "message"
	keyFile      = "file"
	keyLine      = "line_number"
	keyDetails   = "error_details"
	keyStep      = "processing_step"
	keySystem    = "system"
	keyImportID  = "import_id"
)

// File names the real file (or the object's key, before an import exists).
func File(name string) slog.Attr { return slog.String(keyFile, name) }

// Line is the line number of a record: the physical line, or the ordinal of an
// element of a JSON array; both count from 1.
func Line(n int64) slog.Attr { return slog.Int64(keyLine, n) }

// Details is the description of a problem, without any value of the data.
func Details(text string) slog.Attr { return slog.String(keyDetails, text) }

// Step is the processing step.
func Step(step etl.Step) slog.Attr { return slog.String(keyStep, string(step)) }

// ImportID names the import.
func ImportID(id string) slog.Attr { return slog.String(keyImportID, id) }

// New returns a logger that writes lines to w, one at a time. Records below level are
// dropped.
func New(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(&handler{out: w, mu: &sync.Mutex{}, level: level})
}

type handler struct {
	out   io.Writer
	mu    *sync.Mutex
	level slog.Leveler
	attrs []slog.Attr
}

func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.level.Level()
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clone := *h
	clone.attrs = append(append([]slog.Attr{}, h.attrs...), attrs...)
	return &clone
}

// WithGroup implements [slog.Handler]. It is not used: the keys of the log are flat.
func (h *handler) WithGroup(string) slog.Handler { return h }

func (h *handler) Handle(_ context.Context, r slog.Record) error {
	fixed := map[string]any{}
	var extra []slog.Attr
	add := func(a slog.Attr) bool {
		switch a.Key {
		case keyFile, keyLine, keyDetails, keyStep, keyImportID:
			fixed[a.Key] = a.Value.Resolve().Any()
		default:
			extra = append(extra, a)
		}
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	line := make([]byte, 0, 512)
	line = append(line, '{')
	line = appendMember(line, keyTimestamp, r.Time.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano))
	line = appendMember(line, keyLevel, levelName(r.Level))
	line = appendMember(line, keyMessage, r.Message)
	for _, key := range []string{keyFile, keyLine, keyDetails, keyStep} {
		if v, ok := fixed[key]; ok {
			line = appendMember(line, key, v)
		}
	}
	line = appendMember(line, keySystem, system)
	if v, ok := fixed[keyImportID]; ok {
		line = appendMember(line, keyImportID, v)
	}
	for _, a := range extra {
		line = appendMember(line, a.Key, plain(a.Value))
	}
	line = append(line, '}', '\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := h.out.Write(line)
	return err
}

// plain converts a slog value into one that JSON shows as people expect.
func plain(v slog.Value) any {
	switch v = v.Resolve(); v.Kind() {
	case slog.KindDuration:
		return v.Duration().Seconds()
	case slog.KindTime:
		return v.Time().UTC().Format(time.RFC3339Nano)
	default:
		if err, ok := v.Any().(error); ok {
			return err.Error()
		}
		return v.Any()
	}
}

// levelName returns INFO, WARN or ERROR, the only levels of the central log.
func levelName(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "ERROR"
	case l >= slog.LevelWarn:
		return "WARN"
	default:
		return "INFO"
	}
}

func appendMember(line []byte, key string, value any) []byte {
	if line[len(line)-1] != '{' {
		line = append(line, ',')
	}
	line = appendJSON(line, message.Text(key))
	line = append(line, ':')
	if text, ok := value.(string); ok {
		return appendJSON(line, message.Text(text))
	}
	v, err := json.Marshal(value)
	switch {
	case err != nil:
		return appendJSON(line, "unprintable")
	case len(v) > message.TextBytes:
		return appendJSON(line, message.Text(string(v)))
	default:
		return append(line, message.Visible(string(v))...)
	}
}

// appendJSON appends a text that is already bounded.
func appendJSON(line []byte, text string) []byte {
	v, err := json.Marshal(text)
	if err != nil {
		return append(line, `""`...)
	}
	return append(line, v...)
}
