package record_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"strings"

	"etl-dataloader/internal/record"
)

// Cut finds the chunks of a file. A Reader then yields the records of one chunk,
// from its bytes alone. The missing quote costs its own line and no other.
func Example() {
	const file = "id,city\n" +
		"1,Lille\n" +
		"2,\"Lyon\n" +
		"3,\"Saint-\nDenis\"\n"
	layout := record.Layout{Format: record.CSV, Columns: []string{"id", "city"}}

	var chunks []record.Chunk
	scan, err := record.Cut(strings.NewReader(file), layout, record.Limits{ChunkRecords: 2}, func(c record.Chunk) error {
		chunks = append(chunks, c)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d records, %d malformed, %d chunks\n", scan.Records, scan.Malformed, len(chunks))

	for _, chunk := range chunks {
		r := record.NewReader(strings.NewReader(file[chunk.Start:chunk.End]), chunk, layout, scan.Header)
		for {
			rec, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				log.Fatal(err)
			}
			if rec.Fault != "" {
				fmt.Printf("chunk %d, line %d: fault %s\n", chunk.Index, rec.Line, rec.Fault)
				continue
			}
			fmt.Printf("chunk %d, line %d: %s %q\n", chunk.Index, rec.Line, rec.Values[0].Text, rec.Values[1].Text)
		}
	}
	// Output:
	// 3 records, 1 malformed, 2 chunks
	// chunk 0, line 2: 1 "Lille"
	// chunk 0, line 3: fault quote
	// chunk 1, line 4: 3 "Saint-\nDenis"
}

// A file that is wrong as a whole has no records. The error names a foreign
// column only if it can be no value.
func ExampleFileError() {
	layout := record.Layout{Format: record.CSV, Columns: []string{"id", "city"}}
	_, err := record.Cut(strings.NewReader("id,citty\n1,Lille\n"), layout, record.Limits{}, func(record.Chunk) error { return nil })
	if faulty, ok := errors.AsType[*record.FileError](err); ok {
		fmt.Println(faulty.Reason, faulty.Missing, faulty.Extra)
	}
	// Output: header [city] [citty]
}
