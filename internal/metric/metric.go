// Package metric writes CloudWatch metrics in the Embedded Metric Format: one
// line of JSON on standard output, from which CloudWatch makes the metrics. The
// import_id is never a dimension, because each value would become a metric; it is a
// plain member that Logs Insights can search.
//
// Source of the format: CloudWatch Embedded Metric Format Specification.
package metric

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// Namespace of every metric.
const Namespace = "ETL-DataLoader"

// Unit is a CloudWatch unit.
type Unit string

// The units in use.
const (
	Count   Unit = "Count"
	Seconds Unit = "Seconds"
)

// Value is one measurement.
type Value struct {
	Name  string
	Unit  Unit
	Value float64
}

// Writer writes metric lines. It is safe for concurrent use.
type Writer struct {
	mu  sync.Mutex
	out io.Writer
	now func() time.Time
}

// New returns a writer on out, which is the function's standard output.
func New(out io.Writer, now func() time.Time) *Writer { return &Writer{out: out, now: now} }

// Dimensions of a measurement; an empty one is left out.
type Dimensions struct {
	Step     string // the state, such as "Stage"
	Resource string
}

// Put writes values under the dimensions, with importID as a plain member.
func (w *Writer) Put(importID string, d Dimensions, values ...Value) error {
	type definition struct {
		Name string `json:"Name"`
		Unit Unit   `json:"Unit"`
	}
	line := map[string]any{"import_id": importID}
	names := make([]string, 0, 2)
	for name, value := range map[string]string{"Step": d.Step, "Resource": d.Resource} {
		if value != "" {
			names = append(names, name)
			line[name] = value
		}
	}
	definitions := make([]definition, 0, len(values))
	for _, v := range values {
		definitions = append(definitions, definition{v.Name, v.Unit})
		line[v.Name] = v.Value
	}
	line["_aws"] = map[string]any{
		"Timestamp": w.now().UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace": Namespace, "Dimensions": [][]string{names}, "Metrics": definitions,
		}},
	}
	text, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("metric: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.out.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("metric: %w", err)
	}
	return nil
}
