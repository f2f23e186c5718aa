package validation_test

import (
	"regexp"
	"testing"

	"github.com/cockroachdb/apd/v3"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/validation"
)

// TestValueChecker: a value by itself is checked like one of a record.
func TestValueChecker(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		field     contract.Field
		good, bad []string
	}{
		"number": {
			contract.Field{Type: contract.TypeNumber, Constraints: contract.Constraints{Minimum: apd.New(0, 0), Maximum: apd.New(1, 0)}},
			[]string{"0", "1", "0.5", "1e-7", "1.000"},
			[]string{"17", "-0.1", "1.0001", "1e999999999", "1e-999999999", "x", ""},
		},
		"text": {
			contract.Field{Type: contract.TypeString, Constraints: contract.Constraints{MinLength: 1, MaxLength: 3}},
			[]string{"a", "éàü", " "},
			[]string{"", "abcd", "\x00", "a\ufffd"},
		},
		"pattern":     {contract.Field{Type: contract.TypeString, Constraints: contract.Constraints{Pattern: regexp.MustCompile(`\A(?:[a-c]+)\z`)}}, []string{"abc"}, []string{"abd"}},
		"enumeration": {contract.Field{Type: contract.TypeString, Constraints: contract.Constraints{Enum: []string{"or", "argent"}}}, []string{"or"}, []string{"Or", "platine"}},
		"boolean":     {contract.Field{Type: contract.TypeBoolean}, []string{"true"}, []string{"oui"}},
	} {
		checker, err := validation.NewValueChecker(&c.field)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range c.good {
			if !checker.Valid([]byte(text)) {
				t.Errorf("%s: %q is refused", name, text)
			}
		}
		for _, text := range c.bad {
			if checker.Valid([]byte(text)) {
				t.Errorf("%s: %q is taken", name, text)
			}
		}
	}
}
