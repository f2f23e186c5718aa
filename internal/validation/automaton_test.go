package validation

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

// The patterns that an automaton takes over, and how contracts write them; the
// last one is of the delivered contract.
var simple = []string{
	`[0-9]{10}`, `\+[0-9]{8,15}`, `[\p{L}\p{M} ]+`, `FR[0-9A-Z]{2}[0-9]*`, `é?`, `a{2}b`, `[^a]{1,3}`, `(?:ab)c+`, `\d{2,}`, `x`,
	`a|bc`, `a*b`, `(ab)+`, `(?i)abc`, `(?i)ks`, `.+`, `(?s).+`, `a{0,2}a{0,2}`, ``, `(a|ab)(c|bcd)?`, `(?:a?){9}a{9}`, `[^\x00-\x{10FFFF}]|a`,
	`\p{Zs}*\p{L}[\p{L}\p{M}]*(?:[\x{200C}\x{200D}]+[\p{L}\p{M}]+)*(?:\p{Zs}+\p{L}[\p{L}\p{M}]*(?:[\x{200C}\x{200D}]+[\p{L}\p{M}]+)*)*\p{Zs}*`,
}

// The patterns that are left to package regexp: they look around, or need too many
// states.
var other = []string{`^a$`, `\bx`, `a\z`, `(?m)a$b`, `[ab]*a[ab]{14}`}

func whole(pattern string) string { return `\A(?:` + pattern + `)\z` }

func TestAutomatonForms(t *testing.T) {
	for _, pattern := range simple {
		if m, err := newAutomaton(whole(pattern)); m == nil || err != nil {
			t.Errorf("%s is not taken over (%v)", pattern, err)
		}
	}
	for _, pattern := range other {
		if m, err := newAutomaton(whole(pattern)); m != nil || err != nil {
			t.Errorf("%s is taken over (%v)", pattern, err)
		}
	}
	if _, err := newAutomaton("("); err == nil {
		t.Error("a broken pattern is no error")
	}
	for _, open := range []string{`ab`, `\Aab`, `ab\z`, `(?m)^ab$`} {
		if m, _ := newAutomaton(open); m != nil {
			t.Errorf("%s is taken over though it is not anchored", open)
		}
	}
}

// An automaton gives the answers of package regexp, on any bytes.
func TestAutomatonProperty(t *testing.T) {
	for _, pattern := range simple {
		re := regexp.MustCompile(whole(pattern))
		m, err := newAutomaton(whole(pattern))
		if err != nil {
			t.Fatal(err)
		}
		texts := rapid.OneOf(
			rapid.StringMatching(pattern),
			rapid.StringMatching("(?:"+pattern+")?[0-9a]?"),
			rapid.StringMatching(`[0-9a-dxF+ ée\x{0301}R\x{FFFD}\x{10FFFF}\nKk\x{212A}sſ\x{200D}\x{00A0}]{0,16}`),
			rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 6), func(b []byte) string { return string(b) }),
		)
		rapid.Check(t, func(t *rapid.T) {
			text := []byte(texts.Draw(t, "text"))
			if got, want := m.match(text), re.Match(text); got != want {
				t.Fatalf("%s on %q: %t, want %t", pattern, text, got, want)
			}
		})
	}
}
