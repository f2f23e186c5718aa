package phase

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"etl-dataloader/internal/answers"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/record"
	"etl-dataloader/internal/staged"
	"etl-dataloader/internal/validation"
)

// speedRows is how many records a chunk of the benchmarks has.
const speedRows = 5000

// speedChunk is a chunk of generated records of a resource, and its text.
func speedChunk(name, line string) (ChunkIn, string) {
	var text strings.Builder
	for i := range speedRows {
		fmt.Fprintf(&text, line, 1_000_000+i, i)
	}
	imp := Import{ImportID: "IMPORT_20241009_150000_001", Generation: 1, Mode: etl.ModeInitial, FileDate: "2024-10-08", KeyID: 1, WrappedKey: []byte{1}}
	return ChunkIn{Import: imp, Chunk: Chunk{
		File:  File{Resource: name, File: name + "_20241008.csv", Format: "csv"},
		Range: record.Chunk{End: int64(text.Len()), FirstLine: 2, Records: speedRows},
	}}, text.String()
}

// forEachSpeed runs a benchmark over both big files and reports its records.
func forEachSpeed(b *testing.B, run func(b *testing.B, r *contract.Resource, in ChunkIn, text string)) {
	b.Helper()
	pkg, err := contract.Load()
	if err != nil {
		b.Fatal(err)
	}
	for name, line := range map[string]string{"clients": clientRow, "ventes": saleRow} {
		b.Run(name, func(b *testing.B) {
			in, text := speedChunk(name, line)
			b.ReportAllocs()
			before := processorTime(b)
			run(b, pkg.Resource(name), in, text)
			b.ReportMetric(float64(b.N)*speedRows/(processorTime(b)-before).Seconds(), "records/cpu-s")
		})
	}
}

// BenchmarkProtect is the way of a record through Protect on one core, S3 apart:
// read, sealed, tokenised, written as a COPY stream and hashed.
func BenchmarkProtect(b *testing.B) {
	forEachSpeed(b, func(b *testing.B, r *contract.Resource, in ChunkIn, text string) {
		step := Protect{KMS: oneKey{}}
		checker, keys, err := step.prepare(b.Context(), in, r)
		if err != nil {
			b.Fatal(err)
		}
		b.ResetTimer()
		for b.Loop() {
			var out Protected
			reader := record.NewReader(strings.NewReader(text), in.Chunk.Range, validation.Layout(r, "csv"), r.Columns())
			if err := protect(reader, staged.NewWriter(objectstore.NewChecksum(), r, in.Chunk.Range.Index, checker, keys), &out); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// keysInStream returns the keys of a protected chunk, and what opens its values.
func keysInStream(t testing.TB, r *contract.Resource, in ChunkIn, stream []byte) (*chunkKeys, *lateOpener) {
	t.Helper()
	values := &lateOpener{key: func() (protection.DataKey, error) { return openKey(t.Context(), oneKey{}, "", in.Import) }, scope: in.Import.scope(r.Name)}
	keys, err := readKeys(r, values.open, func(visit func(line int64, row [][]byte) error) error {
		return copybinary.Each(io.TeeReader(bytes.NewReader(stream), objectstore.NewChecksum()), func(row [][]byte) error {
			line, err := staged.Line(row)
			if err != nil {
				return err
			}
			return visit(line, row)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys, values
}

// enrichedChunk returns the answers for a protected chunk, of a source that knows every
// key at once.
func enrichedChunk(b *testing.B, r *contract.Resource, in ChunkIn, stream []byte) []byte {
	b.Helper()
	keys, values := keysInStream(b, r, in, stream)
	a := &asking{answerSealer: answerSealer{resource: r, values: values}, in: EnrichIn{ChunkIn: in}, keys: keys, whole: make([]enrichment.Outcome, len(keys.distinct))}
	for i := range a.whole {
		a.whole[i] = enrichment.Outcome{Status: etl.EnrichmentOK, Values: []byte(`{"segment":"A","loyalty_tier":"or","risk_score":0.5}`)}
	}
	var out bytes.Buffer
	records, err := a.collect(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if _, err := a.writeLines(&out, records); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// BenchmarkEnrich is the way of a staged record through Enrich on one core, S3 and the
// external system apart.
func BenchmarkEnrich(b *testing.B) {
	forEachSpeed(b, func(b *testing.B, r *contract.Resource, in ChunkIn, text string) {
		if r.Enrichment == nil {
			b.Skip("it is not enriched")
		}
		stream := protectedChunk(b, r, in, text)
		b.ResetTimer()
		for b.Loop() {
			enrichedChunk(b, r, in, stream)
		}
	})
}

// BenchmarkTransform is the way of a staged record, and of the answer for it, through
// Transform on one core, S3 apart.
func BenchmarkTransform(b *testing.B) {
	forEachSpeed(b, func(b *testing.B, r *contract.Resource, in ChunkIn, text string) {
		stream := protectedChunk(b, r, in, text)
		var answered []byte
		if r.Enrichment != nil {
			answered = enrichedChunk(b, r, in, stream)
		}
		b.ResetTimer()
		for b.Loop() {
			builder := event.NewBuilder(r, time.Now, event.NewIDs(rand.Reader))
			var summary event.Summary
			streams := event.NewStreams(builder, objectstore.NewChecksum(), objectstore.NewChecksum(), &summary)
			answer := answers.NewReader(io.TeeReader(bytes.NewReader(answered), objectstore.NewChecksum()))
			if err := copybinary.Each(io.TeeReader(bytes.NewReader(stream), objectstore.NewChecksum()), func(fields [][]byte) error {
				line, err := staged.Line(fields)
				if err != nil {
					return err
				}
				var e event.Enrichment
				if answered != nil {
					if _, e, err = answer.Next(); err != nil {
						return err
					}
				}
				return streams.Write(line, fields, e)
			}); err != nil {
				b.Fatal(err)
			}
			if err := streams.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
