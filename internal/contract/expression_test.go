package contract_test

import (
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/common/types"
	"github.com/cockroachdb/apd/v3"

	"etl-dataloader/internal/contract"
)

// variables are the fields of the small descriptor, as a rule sees them.
func variables(t testing.TB, amount string) map[string]any {
	t.Helper()
	d, _, err := apd.NewFromString(amount)
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2024, 10, 8, 0, 0, 0, 0, time.UTC)
	return map[string]any{
		"person": types.String("ada"), "code": types.String("a"), "taken": types.Int(3), "amount": contract.Decimal{D: d}, "flag": types.True,
		"since": types.Timestamp{Time: day}, "until": types.Timestamp{Time: day.Add(time.Hour)}, "file_date": types.Timestamp{Time: day},
		"present.code": types.True, "present.person": types.True, "present.secret": types.False,
	}
}

func rule(t testing.TB, expression string) contract.Rule {
	t.Helper()
	return parse(t, strings.Replace(small(t), "until >= since", expression, 1)).Resource("children").Rules[0]
}

func TestExpressions(t *testing.T) {
	for _, c := range []struct {
		expression, amount string
		want               bool
	}{
		{"amount == roundHalfUp(amount, 2)", "1.50", true},
		{"amount == roundHalfUp(amount, 2)", "1.505", false},
		{"amount * taken == decimal(9) - decimal(3) * decimal(1)", "2.0", true},
		{"amount * taken == amount + amount + amount", "0.1", true}, // not so in floating point
		{"amount + taken == decimal(4)", "1.000", true},
		{"amount - 1 == decimal(-2)", "-1", true},
		{"amount > 2 && amount < 3 && amount >= 2 && amount <= 3", "2.000000000000000000000000000000000001", true},
		{"amount > decimal(2) || amount < decimal(2)", "2.0", false},
		{"amount <= decimal(2) && amount >= decimal(2)", "2.0", true},
		{"amount != decimal(2)", "2.0", false},
		{"until >= since && since == file_date", "0", true},
		{"until <= file_date", "0", false},
		{"code in ['a', 'b'] && person.startsWith('a')", "0", true},
		{"present.code && !present.secret", "0", true},
		{"flag || taken > 3", "0", true},
		{"isIBAN(person)", "0", false},
	} {
		result, _, err := rule(t, c.expression).Program.Eval(variables(t, c.amount))
		if err != nil || result != types.Bool(c.want) {
			t.Errorf("%s with amount %s: %v %v, want %t", c.expression, c.amount, result, err, c.want)
		}
	}
}

// What a rule mentions decides when it is evaluated.
func TestMentions(t *testing.T) {
	r := rule(t, "present.secret || amount > taken")
	if strings.Join(r.Fields, " ") != "taken amount" || strings.Join(r.Presence, " ") != "secret" {
		t.Errorf("mentions %v and the presence of %v", r.Fields, r.Presence)
	}
}

// An expression that cannot be computed is an error, never true.
func TestExpressionErrors(t *testing.T) {
	for _, expression := range []string{
		"roundHalfUp(amount, -1) == amount", "roundHalfUp(amount, 39) == amount", "taken * 9223372036854775807 > 0", "taken / 0 > 0",
	} {
		if result, _, err := rule(t, expression).Program.Eval(variables(t, "1")); err == nil {
			t.Errorf("%s: %v, want an error", expression, result)
		}
	}
}

func TestRoundHalfUp(t *testing.T) {
	for _, c := range []struct {
		text   string
		digits int32
		want   string
	}{
		{"0", 2, "0.00"},
		{"1", 2, "1.00"},
		{"1.004999999999999999999", 2, "1.00"},
		{"1.005", 2, "1.01"},
		{"1.015", 2, "1.02"},
		{"1.025", 2, "1.03"},
		{"2.675", 2, "2.68"},
		{"0.005", 2, "0.01"},
		{"0.0049", 2, "0.00"},
		{"9.995", 2, "10.00"},
		{"99999999999999999999.995", 2, "100000000000000000000.00"},
		{"-1.005", 2, "-1.01"},
		{"0.5", 0, "1"},
		{"1E+3", 2, "1000.00"},
		{"1E-38", 2, "0.00"},
		{"0.00000000000000000000000000000000000005", 37, "0.0000000000000000000000000000000000001"},
	} {
		d, _, err := apd.NewFromString(c.text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := contract.RoundHalfUp(d, c.digits)
		if err != nil || got.Text('f') != c.want {
			t.Errorf("%s to %d digits: %s %v, want %s", c.text, c.digits, got.Text('f'), err, c.want)
		}
	}
}
