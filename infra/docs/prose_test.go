package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWrap covers what filling must leave alone.
func TestWrap(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("word ", 30))
	head, tail := strings.TrimSpace(strings.Repeat("word ", 20)), strings.TrimSpace(strings.Repeat("word ", 10))
	for name, tc := range map[string]struct{ text, want string }{
		"paragraph":         {long + "\n", head + "\n" + tail + "\n"},
		"short lines":       {"one\ntwo\n\nthree\n", "one two\n\nthree\n"},
		"list":              {"- " + long + "\n- next\n", "- " + head[:len(head)-5] + "\n  word " + tail + "\n- next\n"},
		"numbered list":     {"1. one\n   two\n2. three\n", "1. one two\n2. three\n"},
		"table":             {"| " + long + " |\n", "| " + long + " |\n"},
		"code":              {"```sh\n" + long + "\n```\n", "```sh\n" + long + "\n```\n"},
		"heading":           {"# " + long + "\ntext\n", "# " + long + "\ntext\n"},
		"code in a line":    {head + " `a b`\n", head + "\n`a b`\n"},
		"not a list":        {head + " - word\n", head + " -\nword\n"},
		"French":            {head + " : word\n", head[:len(head)-5] + "\nword : word\n"},
		"quotation":         {head + " « a »\n", head + "\n« a »\n"},
		"nothing to change": {"a\n\n- b\n", "a\n\n- b\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := wrap(tc.text); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			} else if again := wrap(got); again != got {
				t.Errorf("wrapped again:\n%s", again)
			}
		})
	}
}

// TestLongLines finds the one line that should have been wrapped.
func TestLongLines(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "docs", "adr"), 0o700); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("word ", 33)
	for name, text := range map[string]string{
		"README.md":        "# title\n\nshort\n",
		"docs/table.md":    "| " + long + "|\n",
		"docs/link.md":     strings.Repeat("x", 200) + "\n",
		"docs/adr/long.md": "short\n\n" + long + "\n",
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := longLines(root)
	if want := "docs/adr/long.md:3"; err != nil || strings.Join(found, " ") != want {
		t.Errorf("got %q, %v; want %q", found, err, want)
	}
}
