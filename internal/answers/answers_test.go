package answers_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/answers"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
)

type row struct {
	Line   int64
	Answer event.Enrichment
}

func sample() []row {
	return []row{
		{2, event.Enrichment{Status: etl.EnrichmentOK, Values: []byte(`{"segment":"A"}`)}},
		{3, event.Enrichment{Status: etl.EnrichmentNotFound}},
		{7, event.Enrichment{Status: etl.EnrichmentFailed, Error: "timeout"}},
		{8, event.Enrichment{Status: etl.EnrichmentOK, Values: []byte(`{}`)}},
	}
}

func written(t *testing.T, rows []row) ([]byte, answers.Counts) {
	t.Helper()
	var out bytes.Buffer
	w := answers.NewWriter(&out)
	for _, r := range rows {
		if err := w.Write(r.Line, r.Answer); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), w.Counts()
}

// TestRoundTrip: what is read is what was written, and both sides count the same.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	stream, counts := written(t, sample())
	if want := (answers.Counts{Records: 4, Enriched: 2, NotFound: 1, NotEnriched: 1, Failed: map[string]int64{"timeout": 1}}); !cmp.Equal(counts, want) {
		t.Errorf("the writer counts %+v, want %+v", counts, want)
	}
	var got []row
	read, err := answers.Each(bytes.NewReader(stream), func(line int64, answer event.Enrichment) error {
		answer.Values = bytes.Clone(answer.Values)
		got = append(got, row{line, answer})
		return nil
	})
	if err != nil || !cmp.Equal(read, counts) {
		t.Errorf("the reader counts %+v, %v; want %+v", read, err, counts)
	}
	if diff := cmp.Diff(sample(), got); diff != "" {
		t.Errorf("read (-want +got)\n%s", diff)
	}
	stream, counts = written(t, nil)
	if _, _, err := answers.NewReader(bytes.NewReader(stream)).Next(); !errors.Is(err, io.EOF) || !cmp.Equal(counts, answers.Counts{}) {
		t.Errorf("without answers: %v, %+v", err, counts)
	}
}

// TestColumns: a row has the columns that the object's metadata name.
func TestColumns(t *testing.T) {
	t.Parallel()
	stream, _ := written(t, sample())
	if err := copybinary.Each(bytes.NewReader(stream), func(cells [][]byte) error {
		if len(cells) != len(answers.Stream()) {
			t.Errorf("%d cells, %d columns", len(cells), len(answers.Stream()))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestBroken: a stream that is cut, or holds something else, is an error, and the
// visitor's error ends the reading.
func TestBroken(t *testing.T) {
	t.Parallel()
	stream, _ := written(t, sample())
	for n := range stream {
		if _, err := answers.Each(bytes.NewReader(stream[:n]), func(int64, event.Enrichment) error { return nil }); err == nil {
			t.Fatalf("the first %d of %d bytes are read without an error", n, len(stream))
		}
	}
	for name, write := range map[string]func(*copybinary.Writer){
		"fewer columns": func(w *copybinary.Writer) { w.Row(1); w.Int8(2) },
		"no line":       func(w *copybinary.Writer) { w.Row(4); w.Null(); w.String("ok"); w.Null(); w.Null() },
	} {
		var out bytes.Buffer
		w := copybinary.NewWriter(&out)
		write(w)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := answers.NewReader(&out).Next(); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
	stop := errors.New("stop")
	if _, err := answers.Each(bytes.NewReader(stream), func(int64, event.Enrichment) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the visitor's error: %v", err)
	}
	if err := answers.NewWriter(full{}).Close(); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("the underlying writer's error: %v", err)
	}
}

// full is a writer without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
