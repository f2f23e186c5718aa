package enrichment

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestKeys(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   string
	}{
		{[]string{"Paris"}, "Paris"},
		{[]string{""}, ""},
		{[]string{"Paris", "FR"}, "\x1fParis\x1fFR"},
		{[]string{"", "FR"}, "\x1f\x1fFR"},
		{[]string{"a\x1fb", "c\x1bd"}, "\x1fa\x1b1b\x1fc\x1b0d"},
		{[]string{"a\x1b1b", ""}, "\x1fa\x1b01b\x1f"},
	} {
		if key := JoinKey(c.values...); key != c.want || !slices.Equal(SplitKey(key), c.values) {
			t.Errorf("%q: key %q, which splits into %q", c.values, key, SplitKey(key))
		}
	}
}

// TestKeysAreUnambiguous: several values come back from their key, whatever they hold.
func TestKeysAreUnambiguous(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"a", "é", "0", "1", "\x1b", "\x1f", "\xff"})).Draw(t, "parts"), "")
		})
		values := rapid.SliceOfN(value, 2, 4).Draw(t, "values")
		if got := SplitKey(JoinKey(values...)); !slices.Equal(got, values) {
			t.Fatalf("%q became %q", values, got)
		}
	})
}

// TestUsableKeys: what bounds a key holds for each of its values.
func TestUsableKeys(t *testing.T) {
	longest := strings.Repeat("é", MaxKey)
	for _, c := range []struct {
		values []string
		want   bool
	}{
		{[]string{longest}, true},
		{[]string{longest + "é"}, false},
		{[]string{""}, false},
		{[]string{"\xff"}, false},
		{[]string{longest, longest}, true},
		{[]string{longest, longest + "é"}, false},
		{[]string{longest + "é", "FR"}, false},
		{[]string{"Paris", ""}, false},
		{[]string{"", "FR"}, false},
		{[]string{"Paris", "\xff"}, false},
	} {
		if got := usable(JoinKey(c.values...)); got != c.want {
			t.Errorf("%q: %t", c.values, got)
		}
	}
}
