package contract_test

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"etl-dataloader/internal/contract"
)

func TestDecimals(t *testing.T) {
	nines := strings.Repeat("9", 38)
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "-0.00": "0.00", "+1": "1", "007": "7", "12.30": "12.30", "-12.30": "-12.30", ".5": "0.5", "5.": "5", "-.5": "-0.5",
		"1e3": "1000", "1E+3": "1000", "1.5e3": "1500", "1.50e1": "15.0", "15e-1": "1.5", "1.2e-3": "0.0012", "0e999999999999": "0", "0.0e-5": "0.0",
		"1e37": "1" + strings.Repeat("0", 37), "1e-38": "0." + strings.Repeat("0", 37) + "1",
		nines: nines, "0." + nines: "0." + nines, nines + "." + nines: nines + "." + nines, strings.Repeat("0", 500) + "1": "1",
		"1." + strings.Repeat("0", 500):                 "1." + strings.Repeat("0", 38),
		"1" + strings.Repeat("0", 1000) + "e-1000":      "1." + strings.Repeat("0", 38),
		"0." + strings.Repeat("0", 1000) + "1e1001":     "1",
		"9223372036854775808":                           "9223372036854775808",
		"123456789012345678.1":                          "123456789012345678.1",
		"0.000000000000000000000000000000000000010e0":   "0.00000000000000000000000000000000000001",
		"-123456789012345678901234567890.1234567890e+2": "-12345678901234567890123456789012.34567890",
	} {
		got, ok := contract.DecimalText([]byte(text))
		if !ok || string(got) != want {
			t.Errorf("%.60q: %q %t, want %q", text, got, ok, want)
		}
		d, ok := contract.ParseDecimal([]byte(text))
		if !ok || rat(t, d.Text('f')).Cmp(rat(t, want)) != 0 {
			t.Errorf("%.60q is parsed as %s %t, want %s", text, d.Text('f'), ok, want)
		}
	}
	for _, text := range []string{
		"", ".", "+", "-", "e3", ".e3", "1e", "1e+", "1e1.5", "1.2.3", "1,5", "1 000", "1_000", " 1", "1 ", "--1", "INF", "-INF", "inf", "NaN", "Infinity",
		"0x10", "1e38", "1e999999999", "1e99999999999999999999", "1e-39", "1e-999999999", nines + "9", "0." + nines + "9", "١", "12€", "12.5%",
	} {
		if got, ok := contract.DecimalText([]byte(text)); ok {
			t.Errorf("%.60q is taken for the number %q", text, got)
		}
		if d, ok := contract.ParseDecimal([]byte(text)); ok {
			t.Errorf("%.60q is parsed as %s", text, d.String())
		}
	}
}

// Zeros that mean nothing are dropped before anything is computed: whatever the
// length of a text, what is made of it is short.
func TestLongNumbers(t *testing.T) {
	const many = 1_000_000
	zeros, nines := strings.Repeat("0", many), strings.Repeat("9", many)
	for text, want := range map[string]string{
		zeros: "0", "-" + zeros + "." + zeros: "0", zeros + "7.5": "7.5", "7.5" + zeros: "7.5", zeros + "7.5" + zeros: "7.5", "." + zeros: "0",
		"1" + zeros + "e-1000000": "1", "1" + zeros + "." + zeros + "e-1000000": "1", "25" + zeros + "e-1000002": "0.25", "0." + zeros + "1e1000001": "1",
		"." + zeros + "25" + zeros + "e1000002": "25", "1e" + zeros + "2": "100", "1e-" + zeros + "2": "0.01", "0e" + nines: "0", "0e-" + nines: "0",
		strings.Repeat("9", 38) + zeros + "e-1000000": strings.Repeat("9", 38),
	} {
		d, ok := contract.ParseDecimal([]byte(text))
		if !ok || rat(t, d.Text('f')).Cmp(rat(t, want)) != 0 {
			t.Errorf("%.20q…: %t, want %s", text, ok, want)
			continue
		}
		if d.NumDigits() > 3*contract.MaxDecimalDigits || d.Exponent > 3*contract.MaxDecimalDigits || d.Exponent < -3*contract.MaxDecimalDigits {
			t.Errorf("%.20q…: %d digits and exponent %d", text, d.NumDigits(), d.Exponent)
		}
		plain, ok := contract.DecimalText([]byte(text))
		if !ok || len(plain) > 3*contract.MaxDecimalDigits || rat(t, string(plain)).Cmp(rat(t, want)) != 0 {
			t.Errorf("%.20q…: %d bytes of text, %t", text, len(plain), ok)
		}
		if n := testing.AllocsPerRun(1, func() { contract.ParseDecimal([]byte(text)) }); n > 20 {
			t.Errorf("%.20q…: %v allocations", text, n)
		}
	}
	for _, text := range []string{nines, "1" + zeros, "." + nines, "." + zeros + "1", "1e" + nines, "1e-" + nines, "1" + zeros + "e-999961", "." + zeros + "1e999961", nines + "e-1000000", "1" + zeros + "1e-1000000", zeros + "." + zeros + "x"} {
		if d, ok := contract.ParseDecimal([]byte(text)); ok {
			t.Errorf("%.20q… is taken for a number of %d digits", text, d.NumDigits())
		}
		if plain, ok := contract.DecimalText([]byte(text)); ok {
			t.Errorf("%.20q… is taken for a number of %d bytes", text, len(plain))
		}
	}
}

// Both readings of a number agree with an independent one, math/big's.
func TestDecimalProperty(t *testing.T) {
	number := rapid.StringMatching(`[+-]?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,2})?`)
	bound := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(contract.MaxDecimalDigits), nil))
	rapid.Check(t, func(t *rapid.T) {
		text := number.Draw(t, "text")
		want := rat(t, text)
		scaled := new(big.Rat).Mul(want, bound)
		fits := new(big.Rat).Abs(want).Cmp(bound) < 0 && scaled.IsInt()
		d, ok1 := contract.ParseDecimal([]byte(text))
		plain, ok2 := contract.DecimalText([]byte(text))
		if ok1 != fits || ok2 != fits {
			t.Fatalf("%q: parsed %t, text %t, want %t", text, ok1, ok2, fits)
		}
		if fits && (rat(t, d.Text('f')).Cmp(want) != 0 || rat(t, string(plain)).Cmp(want) != 0) {
			t.Fatalf("%q: parsed %s, text %s", text, d.Text('f'), plain)
		}
	})
}

func rat(t interface{ Fatalf(string, ...any) }, text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return r
}

func FuzzDecimal(f *testing.F) {
	for _, seed := range []string{"12.30", "-1e-3", "0e9", "1e99999999999999999999", ".5e+2", "1" + strings.Repeat("0", 50) + "e-50"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, ok1 := contract.ParseDecimal(b)
		text, ok2 := contract.DecimalText(b)
		if ok1 != ok2 {
			t.Fatalf("parsed %t, text %t", ok1, ok2)
		}
		if !ok1 {
			return
		}
		again, ok := contract.ParseDecimal(text)
		if !ok || again.Cmp(&d) != 0 {
			t.Fatalf("%s is read back as %s %t", text, again.String(), ok)
		}
	})
}
