package main

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestRemainder97 uses the examples of the IBAN registry and ECBS.
func TestRemainder97(t *testing.T) {
	for iban, want := range map[string]int{
		"FR1420041010050500013M02606": 1, "DE89370400440532013000": 1, "GB29NWBK60161331926819": 1,
		"BE68539007547034": 1, "NO9386011117947": 1, "MT84MALT011000012345MTLCAST001S": 1, "DE89370400440532013001": 28,
	} {
		if got := remainder97([]byte(iban)); got != want {
			t.Errorf("%s: %d, want %d", iban, got, want)
		}
	}
	d := newDice(1, topicPayment, 1)
	for range 1000 {
		if iban := appendIBAN(nil, &d); remainder97(iban) != 1 || len(iban) < 15 || len(iban) > 34 {
			t.Fatalf("%s is no IBAN", iban)
		}
	}
}

func TestPersonNumbersDiffer(t *testing.T) {
	s := newSet(options{rows: 1000, history: 5000, mode: modeDaily, seed: 9})
	seen := map[string]int64{}
	ids := []int64{1, 2, 5000, 2_499_999_999}
	for i := range int64(3000) {
		ids = append(ids, 10+i, s.base+1+i, s.reservedID(i))
	}
	for _, id := range ids {
		for _, number := range []int64{s.personNumber(id), 5_000_000_000 + s.personNumber(id)} {
			nif := string(s.appendNIF(nil, number))
			if len(nif) != 10 {
				t.Fatalf("%q has not ten digits", nif)
			}
			if other, ok := seen[nif]; ok && other != id {
				t.Fatalf("%d and %d have the same number", other, id)
			}
			seen[nif] = id
		}
	}
}

func TestDice(t *testing.T) {
	d := newDice(1, topicClient, 1)
	low := 0
	for range 10_000 {
		if n := d.below(7); n < 0 || n > 6 {
			t.Fatalf("below(7) = %d", n)
		}
		n := d.low(1000)
		if n < 0 || n > 999 {
			t.Fatalf("low(1000) = %d", n)
		}
		if n < 125 {
			low++
		}
	}
	if low < 4800 || low > 5200 {
		t.Errorf("%d of 10,000 draws fell into the first eighth, want about half", low)
	}
	if a, b := newDice(1, topicClient, 1), newDice(1, topicClient, 2); a.next() == b.next() {
		t.Error("two clients have the same dice")
	}
}

func TestSpread(t *testing.T) {
	for _, last := range []int64{3, 10, 800_000_000} {
		n, previous := min(last, 1000), int64(0)
		for i := range n {
			key := spread(i, n, last)
			if key <= previous || key > last {
				t.Fatalf("spread(%d, %d, %d) = %d after %d", i, n, last, key, previous)
			}
			previous = key
		}
	}
}

func FuzzCSVField(f *testing.F) {
	for _, text := range []string{"", "a", `"`, ",", "a\nb", "é", `a"b,c`} {
		f.Add(text, false)
		f.Add(text, true)
	}
	f.Fuzz(func(t *testing.T, text string, always bool) {
		if strings.ContainsRune(text, '\r') {
			return // encoding/csv turns CR LF within a field into LF
		}
		var r row
		r.set(0, "key")
		r.set(1, text)
		encoded := appendCSV(nil, &r, []int{0, 1}, always)
		fields, err := csv.NewReader(strings.NewReader(string(encoded))).Read()
		if err != nil || fields[1] != text {
			t.Errorf("%q became %q: %v", text, encoded, err)
		}
	})
}

func FuzzJSONString(f *testing.F) {
	for _, text := range []string{"", "a", `"\`, "\x00\n\t", "é😀", "\u2028"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		var got string
		encoded := appendString(nil, []byte(text))
		if err := json.Unmarshal(encoded, &got); err != nil || got != text {
			t.Errorf("%q became %q: %v", text, encoded, err)
		}
	})
}

func TestJSONNumbers(t *testing.T) {
	for text, want := range map[string]bool{
		"0": true, "-1": true, "1.50": true, "1e3": true, "13e-2": true, "+1": false, "007": false, "-00": false, "1.": false, ".5": false,
		"NaN": false, "INF": false, "0x1F": false, "1_000": false, "": false, "-": false, "--5": false, "1.2.3": false, "1 0": false, "1.e3": false,
	} {
		if got := isJSONNumber([]byte(text)); got != want {
			t.Errorf("isJSONNumber(%q) = %v", text, got)
		}
		if want != json.Valid([]byte(text)) {
			t.Errorf("the case %q is wrong", text)
		}
	}
}
