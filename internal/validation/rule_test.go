package validation_test

import (
	"testing"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/validation"
)

// A comparison of two times gives the same result with and without CEL.
func TestTimeComparisons(t *testing.T) {
	times := []string{"2024-10-07T23:59:59Z", "2024-10-08T00:00:00Z", "2024-10-09T23:59:59.999999999Z", "2024-10-10T00:00:00Z"}
	for _, operator := range []string{"<", "<=", ">", ">="} {
		for _, right := range []string{"b", "file_date", "next_day_end", "day"} {
			fast, slow := timeChecker(t, "a "+operator+" "+right, true), timeChecker(t, "(a "+operator+" "+right+") == true", false)
			for _, a := range times {
				for _, b := range times {
					row := []string{a, b, b[:len("2006-01-02")]}
					if got, want := len(check(t, fast, row)), len(check(t, slow, row)); got != want {
						t.Errorf("%s %s %s of %v: %d errors, want %d", a, operator, right, row, got, want)
					}
				}
			}
		}
	}
}

// timeChecker checks records of two times and a date by one rule.
func timeChecker(t *testing.T, expression string, fast bool) *validation.Checker {
	t.Helper()
	p, err := contract.Parse([]byte(`{"resources": [{"name": "t", "path": "t.csv", "etl:fileType": "t_data", "etl:load": "reload", "etl:event": "t.reloaded",
		"etl:rules": [{"name": "compared", "field": "a", "expression": "` + expression + `", "message": "Faux."}],
		"schema": {"primaryKey": "day", "fields": [{"name": "a", "type": "datetime"}, {"name": "b", "type": "datetime"},
			{"name": "day", "type": "date", "constraints": {"required": true}}]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Resource("t").Rules[0].Times != nil; got != fast {
		t.Fatalf("%s: found as a comparison %t, want %t", expression, got, fast)
	}
	c, err := validation.NewChecker(p.Resource("t"), fileDate)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
