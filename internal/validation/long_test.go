package validation_test

import (
	"slices"
	"strings"
	"testing"

	"etl-dataloader/internal/validation"
)

// Values as long as a record may be cost no more than reading them a few times: a
// sale is judged as fast as it is copied, and right.
func TestLongValues(t *testing.T) {
	const many = 1_000_000
	zeros := strings.Repeat("0", many)
	checker := newChecker(t, "ventes")
	for _, c := range []struct {
		field int
		value string
		want  string
	}{
		{5, "1999" + zeros + "e-1000002", ""},
		{5, zeros + "19.99" + zeros, ""},
		{5, "1998" + zeros + "e-1000002", "amount_equals_product"},
		{6, "0." + zeros + "5997e1000002", ""},
		{6, "1" + zeros, "type"},
		{6, "5997e-" + zeros + "2", ""},
		{4, zeros + "3", ""},
		{4, "3" + zeros, "maximum"},
		{1, "3" + zeros, ""},
		{7, "2024-10-08" + zeros, "type"},
		{8, strings.Repeat("web", many/3), "enum"},
	} {
		row := slices.Clone(valid["ventes"])
		row[c.field] = c.value
		if got := strings.Join(check(t, checker, row), ","); got != c.want {
			t.Errorf("%d = %.20q…: %q, want %q", c.field, c.value, got, c.want)
		}
		values := valuesOf(row)
		if n := testing.AllocsPerRun(1, func() { checker.Check(values, func(validation.Violation) {}) }); n > 60 {
			t.Errorf("%d = %.20q…: %v allocations", c.field, c.value, n)
		}
	}
	clients, payments := newChecker(t, "clients"), newChecker(t, "paiements")
	for field, value := range map[int]string{
		1: strings.Repeat("a\u0301", many/3), 3: strings.Repeat("a", many) + "@b.fr", 4: zeros, 5: "+" + zeros, 6: "2024-10-08" + zeros, 7: strings.Repeat("\u0301", many/2),
		10: "2024-10-08T00:00:00." + zeros + "1",
	} {
		row := slices.Clone(valid["clients"])
		row[field] = value
		if got := check(t, clients, row); len(got) != 1 {
			t.Errorf("client, %d: %v, want one error", field, got)
		}
	}
	row := slices.Clone(valid["clients"])
	row[10] = "2024-10-08T00:00:00." + zeros + "1Z"
	if got := check(t, clients, row); len(got) != 0 {
		t.Errorf("a fraction of a million digits: %v", got)
	}
	row = slices.Clone(valid["paiements"])
	row[4] = "FR14" + zeros
	if got := strings.Join(check(t, payments, row), ","); got != "iban_valid" {
		t.Errorf("a long IBAN: %s", got)
	}
}
