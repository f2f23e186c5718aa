package validation_test

import (
	"testing"
	"time"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/record"
	"etl-dataloader/internal/validation"
)

func BenchmarkCheck(b *testing.B) {
	for name, row := range map[string][]string{
		"clients":   {"1234567", "Éléonore", "Dupont Martin", "eleonore.dupont@example.fr", "0123456789", "+33612345678", "1984-02-29", "12 rue de la Paix, bâtiment C", "Paris", "FR", "2024-10-08T09:30:00.123Z"},
		"ventes":    {"98765432", "1234567", "4711", "12", "3", "19.99", "59.97", "2024-10-07", "web"},
		"paiements": {"1", "98765432", "59.97", "virement", "FR1420041010050500013M02606", "2024-10-08T09:30:00Z"},
	} {
		b.Run(name, func(b *testing.B) {
			checker := newChecker(b, name)
			values := valuesOf(row)
			b.ReportAllocs()
			for b.Loop() {
				checker.Check(values, func(v validation.Violation) { b.Fatalf("unexpected %+v", v) })
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func BenchmarkNewChecker(b *testing.B) {
	p, err := contract.Load()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := validation.NewChecker(p.Resource("clients"), fileDate); err != nil {
			b.Fatal(err)
		}
	}
}

var fileDate = time.Date(2024, 10, 8, 0, 0, 0, 0, time.UTC)

// newChecker checks records of a resource of the delivered contract, of files
// of 8 October 2024.
func newChecker(t testing.TB, resource string) *validation.Checker {
	t.Helper()
	p, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	c, err := validation.NewChecker(p.Resource(resource), fileDate)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// valuesOf makes a record as a CSV reader would.
func valuesOf(row []string) []validation.Value {
	values := make([]validation.Value, len(row))
	for i, text := range row {
		values[i] = validation.Value{Text: []byte(text), Missing: text == ""}
	}
	return values
}

// fieldsOf makes a record as [validation.Values] does.
func fieldsOf(fields []*contract.Field, row []string) []validation.Value {
	values, read := make([]validation.Value, len(row)), make([]record.Value, len(row))
	for i, text := range row {
		read[i] = record.Value{Text: []byte(text), Missing: text == ""}
	}
	validation.Values(values, fields, read)
	return values
}
