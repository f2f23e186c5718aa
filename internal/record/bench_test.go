package record

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// The benchmarks read 16 MB of records like those of the sales (numbers and
// dates) and of the clients (text, with accents and quotes).

var benchColumns = []string{"sale_id", "client_id", "product_id", "store_id", "quantity", "unit_price", "amount", "sale_date", "channel"}

const benchBytes = 16 << 20

func benchFile(format Format, quoted bool) []byte {
	var b bytes.Buffer
	if format == CSV {
		b.WriteString(strings.Join(benchColumns, ",") + "\n")
	}
	if format == JSON {
		b.WriteByte('[')
	}
	city := "magasin"
	if quoted {
		city = `"Saint-Étienne, ""centre"""`
	}
	for i := 1; b.Len() < benchBytes; i++ {
		values := []any{i, i*7919%100000 + 1, i%5000 + 1, i%300 + 1, i%9 + 1, "12.50", "112.50", "2024-10-08", city}
		if format == CSV {
			fmt.Fprintf(&b, "%v,%v,%v,%v,%v,%v,%v,%v,%v\n", values...)
			continue
		}
		if format == JSON && i > 1 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, `{"sale_id":%v,"client_id":%v,"product_id":%v,"store_id":%v,"quantity":%v,"unit_price":%v,"amount":%v,"sale_date":"%v","channel":"%v"}`, values...)
		if format == JSONL {
			b.WriteByte('\n')
		}
	}
	if format == JSON {
		b.WriteByte(']')
	}
	return b.Bytes()
}

func benchmarkBoth(b *testing.B, format Format, quoted bool) {
	data := benchFile(format, quoted)
	layout := Layout{Format: format, Columns: benchColumns}
	var chunk Chunk
	cutOnce := func() Summary {
		scan, err := Cut(bytes.NewReader(data), layout, Limits{ChunkBytes: 1 << 40}, func(c Chunk) error {
			chunk = c
			return nil
		})
		if err != nil || scan.Malformed > 0 {
			b.Fatalf("Cut = %+v, %v", scan, err)
		}
		return scan
	}
	b.Run("Cut", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			cutOnce()
		}
	})
	scan := cutOnce()
	b.Run("Reader", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			r := NewReader(bytes.NewReader(data[chunk.Start:chunk.End]), chunk, layout, scan.Header)
			for {
				_, err := r.Next()
				if isEnd(err) {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

func BenchmarkCSV(b *testing.B)       { benchmarkBoth(b, CSV, false) }
func BenchmarkCSVQuoted(b *testing.B) { benchmarkBoth(b, CSV, true) }
func BenchmarkJSON(b *testing.B)      { benchmarkBoth(b, JSON, false) }
func BenchmarkJSONLines(b *testing.B) { benchmarkBoth(b, JSONL, false) }
