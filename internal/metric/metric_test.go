package metric_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"etl-dataloader/internal/metric"
)

func now() time.Time { return time.UnixMilli(1728468930123) }

// directive is the part of a line that CloudWatch reads (Embedded Metric Format
// Specification).
type directive struct {
	Timestamp         int64
	CloudWatchMetrics []struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []struct{ Name, Unit string }
	}
}

// put writes a line and returns its members and its directive.
func put(t *testing.T, d metric.Dimensions, values ...metric.Value) (map[string]any, directive) {
	t.Helper()
	var out bytes.Buffer
	if err := metric.New(&out, now).Put("IMPORT_20241009_150000_001", d, values...); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "\n") != 1 || !strings.HasSuffix(out.String(), "\n") {
		t.Fatalf("%q is not one line", out.String())
	}
	var members map[string]any
	var aws struct {
		Directive directive `json:"_aws"`
	}
	for _, into := range []any{&members, &aws} {
		if err := json.Unmarshal(out.Bytes(), into); err != nil {
			t.Fatal(err)
		}
	}
	return members, aws.Directive
}

func TestPut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dimensions metric.Dimensions
		names      []string
	}{
		"both":     {metric.Dimensions{Step: "Stage", Resource: "clients"}, []string{"Resource", "Step"}},
		"step":     {metric.Dimensions{Step: "Open"}, []string{"Step"}},
		"resource": {metric.Dimensions{Resource: "clients"}, []string{"Resource"}},
		"neither":  {metric.Dimensions{}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			members, aws := put(t, c.dimensions,
				metric.Value{Name: "Duration", Unit: metric.Seconds, Value: 1.25}, metric.Value{Name: "RecordsRead", Unit: metric.Count, Value: 3e6})
			if aws.Timestamp != 1728468930123 || len(aws.CloudWatchMetrics) != 1 {
				t.Fatalf("the directive is %+v", aws)
			}
			m := aws.CloudWatchMetrics[0]
			if m.Namespace != metric.Namespace || len(m.Dimensions) != 1 || len(m.Metrics) != 2 {
				t.Fatalf("the directive is %+v", m)
			}
			got := slices.Sorted(slices.Values(m.Dimensions[0]))
			if !slices.Equal(got, c.names) {
				t.Errorf("the dimensions are %v, want %v", got, c.names)
			}
			for _, d := range m.Dimensions[0] {
				if text, ok := members[d].(string); !ok || text == "" {
					t.Errorf("dimension %s is no member with a text", d)
				}
			}
			for i, want := range []struct {
				name, unit string
				value      float64
			}{{"Duration", "Seconds", 1.25}, {"RecordsRead", "Count", 3e6}} {
				if m.Metrics[i].Name != want.name || m.Metrics[i].Unit != want.unit || members[want.name] != want.value {
					t.Errorf("metric %d is %+v with %v", i, m.Metrics[i], members[want.name])
				}
			}
			if members["import_id"] != "IMPORT_20241009_150000_001" {
				t.Error("the import is not named")
			}
			if extra := len(members) - 4 - len(c.names); extra != 0 {
				t.Errorf("members %v", slices.Sorted(maps.Keys(members)))
			}
		})
	}
}

// TestImportIsNoDimension: each value would be a metric of its own.
func TestImportIsNoDimension(t *testing.T) {
	t.Parallel()
	_, aws := put(t, metric.Dimensions{Step: "import_id", Resource: "import_id"}, metric.Value{Name: "n", Unit: metric.Count})
	for _, set := range aws.CloudWatchMetrics[0].Dimensions {
		if slices.Contains(set, "import_id") {
			t.Error("import_id is a dimension")
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestErrors(t *testing.T) {
	t.Parallel()
	if err := metric.New(broken{}, now).Put("i", metric.Dimensions{}); err == nil {
		t.Error("a line that was not written is no error")
	}
	if err := metric.New(new(bytes.Buffer), now).Put("i", metric.Dimensions{}, metric.Value{Name: "n", Value: math.Inf(1)}); err == nil {
		t.Error("an infinite value is no error")
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := metric.New(&out, now)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 100 {
				if err := w.Put("i", metric.Dimensions{Step: "Stage"}, metric.Value{Name: "n", Unit: metric.Count, Value: 1}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	for text := range strings.Lines(out.String()) {
		if !json.Valid([]byte(text)) {
			t.Fatalf("%q", text)
		}
	}
}
