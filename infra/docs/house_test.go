package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeModule writes the files of a small module, by name.
func writeModule(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestImports: tests and test kits are not drawn, nor an import that follows from
// others; functions are one node.
func TestImports(t *testing.T) {
	root := writeModule(t, map[string]string{
		"functions/open/main.go":      "package main\nimport \"etl-dataloader/internal/a\"\n",
		"functions/scan/main.go":      "package main\nimport (\n\"fmt\"\n\"etl-dataloader/internal/a\"\n)\n",
		"internal/a/a.go":             "package a\nimport (\n\"etl-dataloader/internal/b\"\n\"etl-dataloader/internal/c\"\n\"example.com/internal/d\"\n)\n",
		"internal/a/a_test.go":        "package a\nimport \"etl-dataloader/internal/d\"\n",
		"internal/b/b.go":             "package b\nimport \"etl-dataloader/internal/c\"\n",
		"internal/b/testdata/b.go":    "package b\nimport \"etl-dataloader/internal/d\"\n",
		"internal/b/btest/kit.go":     "package btest\nimport \"etl-dataloader/internal/d\"\n",
		"internal/c/c.go":             "package c\n",
		"infra/local/bench/bench.go":  "package main\nimport \"etl-dataloader/internal/c\"\n",
		"infra/etlctl/status/show.go": "package status\n",
	})
	graph, err := loadImports(root)
	if err != nil {
		t.Fatal(err)
	}
	got := importsPart(&source{imports: graph})
	want := "```mermaid\nflowchart TB\n    a --> b\n    b --> c\n    functions --> a\n```\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestFigures counts a module whose figures are known.
func TestFigures(t *testing.T) {
	root := writeModule(t, map[string]string{
		"go.mod":                "module m\n\nrequire (\n\ta.com/x v1.0.0\n\tgithub.com/aws/aws-sdk-go-v2/config v1.0.0\n)\n",
		"internal/a/a.go":       "package a\n\nfunc f() {\n}\n\nfunc g() {\n\tf()\n}\n",
		"internal/a/b.go":       "package a\n\nvar x = 1\n",
		"internal/a/a_test.go":  "package a\n\nfunc ExampleF() {}\n",
		"internal/a/atest/k.go": "package atest\n\nfunc K() {}\n",
		"internal/atest/b/b.go": "package b\n",
		"infra/local/x/main.go": "package main\n\nfunc main() {}\n",
		"build/x/main.go":       "broken\n",
		".local/go/x.go":        "broken\n",
	})
	part, err := figuresPart(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| Go files | 2 | 1 |\n", "| lines | 11 | 3 |\n", "max | 8, 8, 8 | 3, 3, 3 |\n", "max | 3, 3, 3 | 1, 1, 1 |\n", "| lines of tests | 3 | 0 |\n", "| lines of test kits, in neither | 4 | 0 |\n",
		"| test : code | 0.27 | 0.00 |\n", "| packages | 1 | 1 |\n", "| testable examples | 1 | 0 |\n", "| direct dependencies | 1, and 1 of the AWS SDK |  |\n",
	} {
		if !strings.Contains(part, want) {
			t.Errorf("lacks %q:\n%s", want, part)
		}
	}
}
