package event_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"
	"slices"
	"time"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/copybinary"
	"etl-dataloader/internal/event"
)

// A staged row becomes a typed row of the target table and an event. Streams
// writes both as COPY streams and counts what it wrote.
func ExampleStreams() {
	pkg, err := contract.Load()
	if err != nil {
		log.Fatal(err)
	}
	categories := pkg.Resource("categories")
	row := make([][]byte, len(categories.StagingStream()))
	for i, column := range categories.StagingStream() {
		switch column.Name {
		case "category_id":
			row[i] = []byte("0042")
		case "name":
			row[i] = []byte("Fruits")
		}
	}

	var targets, events bytes.Buffer
	var summary event.Summary
	builder := event.NewBuilder(categories, time.Now, event.NewIDs(rand.Reader))
	streams := event.NewStreams(builder, &targets, &events, &summary)
	if err := streams.Write(2, row, event.Enrichment{}); err != nil {
		log.Fatal(err)
	}
	if err := streams.Close(); err != nil {
		log.Fatal(err)
	}

	written, err := copybinary.NewReader(&events).Next()
	if err != nil {
		log.Fatal(err)
	}
	position := func(name string) int {
		return slices.IndexFunc(event.Stream(), func(c contract.Column) bool { return c.Name == name })
	}
	fmt.Printf("%s\n", written[position("event_type")])
	fmt.Printf("%s\n", written[position("data")])
	fmt.Println(summary.Events, "event")
	// Output:
	// category.reloaded
	// {"category_id":42,"name":"Fruits","parent_category_id":null}
	// 1 event
}

// Checksums add up in any order, so chunks can be summed as they end.
func ExampleSummary_Merge() {
	var one, other event.Summary
	for summary, text := range map[*event.Summary]string{&one: `{"events":2,"checksum":"9223372036854775807"}`, &other: `{"events":1,"checksum":"-7"}`} {
		if err := json.Unmarshal([]byte(text), summary); err != nil {
			log.Fatal(err)
		}
	}
	one.Merge(other)
	fmt.Println(one.Events, one.Checksum.String())
	// Output: 3 9223372036854775800
}
