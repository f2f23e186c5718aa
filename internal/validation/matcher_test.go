package validation

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

// The patterns that a matcher takes over, and how contracts write them.
var simple = []string{`[0-9]{10}`, `\+[0-9]{8,15}`, `[\p{L}\p{M} ]+`, `FR[0-9A-Z]{2}[0-9]*`, `é?`, `a{2}b`, `[^a]{1,3}`, `(?:ab)c+`, `\d{2,}`, `x`}

// The patterns that are left to package regexp.
var other = []string{`a|bc`, `a*b`, `(ab)+`, `(?i)abc`, `.+`, `^a$`, `a{0,2}a{0,2}`, `\bx`, ``}

func anchored(pattern string) string { return `\A(?:` + pattern + `)\z` }

func TestMatcherForms(t *testing.T) {
	for _, pattern := range simple {
		if m, err := newMatcher(anchored(pattern)); m == nil || err != nil {
			t.Errorf("%s is not taken over (%v)", pattern, err)
		}
	}
	for _, pattern := range other {
		if m, err := newMatcher(anchored(pattern)); m != nil || err != nil {
			t.Errorf("%s is taken over (%v)", pattern, err)
		}
	}
	if _, err := newMatcher("("); err == nil {
		t.Error("a broken pattern is no error")
	}
	for _, open := range []string{`ab`, `\Aab`, `ab\z`, `(?m)^ab$`} {
		if m, _ := newMatcher(open); m != nil {
			t.Errorf("%s is taken over though it is not anchored", open)
		}
	}
}

// A matcher gives the answers of package regexp, on any bytes.
func TestMatcherProperty(t *testing.T) {
	for _, pattern := range simple {
		re := regexp.MustCompile(anchored(pattern))
		m, err := newMatcher(anchored(pattern))
		if err != nil {
			t.Fatal(err)
		}
		texts := rapid.OneOf(
			rapid.StringMatching(pattern),
			rapid.StringMatching(pattern+"?[0-9a]?"),
			rapid.StringMatching(`[0-9a-cxF+ ée\x{0301}R\x{FFFD}\x{10FFFF}]{0,16}`),
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
