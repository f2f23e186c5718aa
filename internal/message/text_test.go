package message_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"etl-dataloader/internal/message"
)

// hostile are texts from outside that a terminal, a mail or a page would act upon.
var hostile = map[string]string{
	"line feed":       "daily/x\nStatut : réussi\ny.csv",
	"carriage return": "a\rb",
	"window title":    "\x1b]0;titre\a",
	"colour":          "\x1b[31m",
	"backspace":       "a\b\bb",
	"delete":          "a\x7fb",
	"next line":       "a\u0085b",
	"C1 introducer":   "a\u009b31mb",
	"line separator":  "a\u2028b\u2029c",
	"right to left":   "a\u202egpj.exe",
	"isolates":        "\u2066a\u2067b\u2068c\u2069",
	"zero width":      "a\u200bb\ufeff",
	"tag":             "a\U000e0041b",
	"NUL":             "a\x00b",
	"invalid byte":    "a\x9bb\xff",
	"cut character":   "a\xc3",
}

// acts reports whether anything but letters, marks, signs and spaces is in a text.
func acts(text string) bool {
	return !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool {
		return r < ' ' || (r >= 0x7f && r < 0xa0) || (r >= 0x2028 && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) ||
			(r >= 0x200b && r <= 0x200f) || r == 0xfeff || (r >= 0xe0000 && r <= 0xe007f)
	})
}

func TestTextIsHarmless(t *testing.T) {
	t.Parallel()
	for name, text := range hostile {
		for how, got := range map[string]string{
			"text": message.Text(text), "quoted": message.Quoted(text), "list": message.List([]string{text, text}, ", "),
			"item": message.Item(text), "lines": message.VisibleLines(text),
		} {
			if how == "lines" {
				got = strings.ReplaceAll(got, "\n", "") // it keeps line breaks
			}
			if acts(got) {
				t.Errorf("%s as %s: %q", name, how, got)
			}
		}
	}
}

// TestTextStays: what people write is shown as it is.
func TestTextStays(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "Le champ 'first_name' est vide.", "1\u00a0234 lignes ; «\u202foui\u202f»", "Zoë, 王, e\u0301, 😀", `C:\n`, "\ufffd", strings.Repeat("x", message.TextBytes),
	} {
		if got := message.Text(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestTextIsBounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.String().Draw(t, "part")
		text := strings.Repeat(part, rapid.IntRange(0, 400).Draw(t, "times"))
		got := message.Text(text)
		if len(got) > message.TextBytes || !utf8.ValidString(got) || acts(got) {
			t.Fatalf("%d bytes: %q", len(got), got)
		}
		if len(text) > message.TextBytes && !strings.HasSuffix(got, " [coupé]") {
			t.Fatalf("a text of %d bytes ends with %q", len(text), got[max(0, len(got)-20):])
		}
		if twice := message.Text(got); twice != got {
			t.Fatalf("a second time it is %q", twice)
		}
	})
}

// TestVisibleKeepsJSON: JSON text stays JSON of the same value.
func TestVisibleKeepsJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.String().Draw(t, "value") + rapid.SampledFrom([]string{"", "\u202e", "\U000e0041", "\u0085", "\x7f"}).Draw(t, "control")
		body, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got string
		if err := json.Unmarshal([]byte(message.Visible(string(body))), &got); err != nil {
			t.Fatal(err)
		}
		if got != strings.ToValidUTF8(want, "\ufffd") {
			t.Fatalf("%q became %q", want, got)
		}
	})
}

func TestQuoted(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"daily/a.csv":                 "« daily/a.csv »",
		"a » est accepté. Le fichier": `« a \u00bb est accepté. Le fichier »`,
		"a\nb":                        `« a\nb »`,
		strings.Repeat("k", 2000):     "« " + strings.Repeat("k", message.TextBytes-len(" [coupé]")) + " [coupé] »",
	} {
		if got := message.Quoted(name); got != want {
			t.Errorf("%q became %q, want %q", name, got, want)
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	numbered := func(n int, format string) (items []string) {
		for i := range n {
			items = append(items, fmt.Sprintf(format, i+1))
		}
		return items
	}
	for name, c := range map[string]struct {
		items []string
		want  string
	}{
		"none":     {nil, ""},
		"one":      {[]string{"a"}, "a"},
		"two":      {[]string{"a", "b"}, "a, b"},
		"all ten":  {numbered(10, "f%d"), "f1, f2, f3, f4, f5, f6, f7, f8, f9, f10"},
		"one more": {numbered(21, "%d"), strings.Join(numbered(20, "%d"), ", ") + " et 1 autre"},
		"many":     {numbered(4020, "%d"), strings.Join(numbered(20, "%d"), ", ") + " et 4\u00a0000 autres"},
		"long":     {numbered(9, strings.Repeat("y", 180)+"%d"), strings.Join(numbered(4, strings.Repeat("y", 180)+"%d"), ", ") + " et 5 autres"},
		"too long": {[]string{strings.Repeat("z", 3000), "b"}, strings.Repeat("z", 191) + " [coupé], b"},
		"hostile":  {[]string{"a\nb", "c"}, `a\nb, c`},
	} {
		if got := message.List(c.items, ", "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := message.List(numbered(5000, strings.Repeat("é", 500)+"%d"), " ; "); len(got) > message.TextBytes || !strings.HasSuffix(got, "autres") {
		t.Errorf("a list of %d bytes: %q", len(got), got)
	}
}
