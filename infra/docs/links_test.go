package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBrokenLinks tries links to files and headings, from and to several folders.
func TestBrokenLinks(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "docs", "adr"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"README.md":       "[a](docs/a.md) [b](docs/a.md#what-it-is-10) [c](https://example.com/none) [d](docs/none.md)\n",
		"docs/a.md":       "# What it is: 10%\n\n| [up](../README.md) | [gone](../GONE.md) |\n\n[here](#what-it-is-10) [not here](#nowhere)\n",
		"docs/adr/one.md": "[folder](../adr) [a](../a.md) `docs/a.md` `docs/b.md`, `docs/*.md`\n\n```\n[code](none.md)\n```\n",
		"CHANGELOG.md":    "`docs/b.md` went\n",
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	broken, err := brokenLinks(root)
	want := "README.md:1: docs/none.md, docs/a.md:3: ../GONE.md, docs/a.md:5: #nowhere, docs/adr/one.md:1: docs/b.md"
	if got := strings.Join(broken, ", "); err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}
