package contract_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"etl-dataloader/internal/contract"
)

func TestBlank(t *testing.T) {
	for _, text := range []string{
		"", " ", "\t\n\v\f\r", "\u0085", "\u00a0", "\u202f", "\u2003", "\u3000", "\u2028\u2029", "\ufeff", "\u200b\u200c\u200d\u2060", "\u00ad", "\u061c\u200e\u200f\u202e\u2069",
		"\u034f", "\u115f\u3164\uffa0", "\u17b4", "\u180e", "\ufe0f", "\ufff9\ufffb", "\u2800", "\U0001bca0", "\U0001d173", "\U000e0041", " \u00a0\ufeff ",
	} {
		if !contract.IsBlank([]byte(text)) {
			t.Errorf("%+q is not blank", text)
		}
	}
	for _, text := range []string{"a", " a", "\ufeffa", "a\u200b", ".", "\b", "\x00", "\x1c", "\x7f", "\u0080", "\ufffd", "\u0301", "\u0600", "\U000110bd", "\ufffc", "😀"} {
		if contract.IsBlank([]byte(text)) {
			t.Errorf("%+q is blank", text)
		}
	}
	p := load(t)
	clients := p.Resource("clients")
	for field, blank := range map[string]bool{"address": true, "nif": true, "client_id": false, "birth_date": false} {
		if clients.Field(field).IsBlank([]byte(" ")) != blank || !clients.Field(field).IsBlank(nil) {
			t.Errorf("%s: white space is blank: want %t", field, blank)
		}
	}
}

func TestLength(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "abc": 3, "é": 1, "e\u0301": 1, "aé": 2, "ae\u0301": 2, "e\u0301e\u0301": 2, "\u0301": 1, "😀": 1, "\u0958": 2, "\u1112\u1161\u11ab": 1, "\u212b": 1, "A\u030a": 1,
		"a\u0316\u0301": 2, "a" + strings.Repeat("\u0316", 100): 101, strings.Repeat("e\u0301", 30): 30, "a\u034fb": 3, "\u0344": 2, "\ufb2c": 3,
	} {
		if got := contract.Length([]byte(text)); got != want {
			t.Errorf("%+q has %d characters, want %d", text, got, want)
		}
	}
}

func TestLengthProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-zé\x{0301}\x{0316}\x{1112}\x{1161}\x{11AB}\x{0958}\x{034F}가]{0,20}`).Draw(t, "text")
		got := contract.Length([]byte(text))
		if want := utf8.RuneCountInString(norm.NFC.String(text)); got != want {
			t.Fatalf("%+q has %d characters, want %d", text, got, want)
		}
		if got > len(text) || contract.Length([]byte(norm.NFD.String(text))) != got {
			t.Fatalf("%+q: %d characters in %d bytes, or another number decomposed", text, got, len(text))
		}
	})
}

func TestForbidden(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		text := []byte("a" + string(r) + "é")
		forbidden := unicode.Is(unicode.Cc, r) || r == 0xfffd
		laid := r == '\t' || r == '\n' || r == '\r' || r == 0x85
		if contract.HasForbidden(text, false) != forbidden || contract.HasForbidden(text, true) != (forbidden && !laid) {
			t.Fatalf("U+%04X: want it forbidden %t, in free text %t", r, forbidden, forbidden && !laid)
		}
	}
}

func TestIsFreeText(t *testing.T) {
	p := load(t)
	for _, c := range []struct {
		resource, field string
		free            bool
	}{
		{"clients", "address", true},
		{"clients", "city", true},
		{"paiements", "iban", true},
		{"clients", "first_name", false},
		{"clients", "email", false},
		{"clients", "country", false},
		{"clients", "birth_date", false},
	} {
		if got := p.Resource(c.resource).Field(c.field).IsFreeText(); got != c.free {
			t.Errorf("%s.%s: free text %t", c.resource, c.field, got)
		}
	}
}
