package phase

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/objectstore"
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

// BenchmarkTransform is the way of a staged record through Transform on one core,
// S3 and enrichment apart.
func BenchmarkTransform(b *testing.B) {
	forEachSpeed(b, func(b *testing.B, r *contract.Resource, in ChunkIn, text string) {
		stream := protectedChunk(b, r, in, text)
		b.ResetTimer()
		for b.Loop() {
			builder := event.NewBuilder(r, time.Now, event.NewIDs(rand.Reader))
			var summary event.Summary
			streams := event.NewStreams(builder, objectstore.NewChecksum(), objectstore.NewChecksum(), &summary)
			if err := copybinary.Each(io.TeeReader(bytes.NewReader(stream), objectstore.NewChecksum()), func(fields [][]byte) error {
				line, err := staged.Line(fields)
				if err != nil {
					return err
				}
				return streams.Write(line, fields, event.Enrichment{})
			}); err != nil {
				b.Fatal(err)
			}
			if err := streams.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
