package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// figures are what is counted of some Go files.
type figures struct {
	files     []int // lines of each file of code
	functions []int // lines of each function of code
	tests     int   // lines of tests
	kits      int   // lines of test kits: neither code of the product nor tests
	examples  int
	packages  map[string]bool
}

// figuresPart counts files, functions, tests and dependencies under root. What runs
// locally and what proves the product are counted apart from it.
func figuresPart(root string) (string, error) {
	var product, tooling figures
	err := eachGoFile(os.DirFS(root), func(name string, text []byte) error {
		if strings.HasPrefix(name, "infra/local/") || strings.HasPrefix(name, "infra/proof/") {
			return tooling.add(name, text)
		}
		return product.add(name, text)
	})
	if err != nil {
		return "", err
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod")) //nolint:gosec // the project's own file
	if err != nil {
		return "", fmt.Errorf("read go.mod: %w", err)
	}
	direct := directDependencies(string(mod))
	var out strings.Builder
	t := newTable(&out, "", "Product", "Local stack and proofs")
	for _, r := range []struct {
		name  string
		value func(figures) string
	}{
		{"Go files", func(f figures) string { return fmt.Sprint(len(f.files)) }},
		{"lines", func(f figures) string { return fmt.Sprint(f.lines()) }},
		{"lines of a file: median, p90, max", func(f figures) string { return distribution(f.files) }},
		{"lines of a function: median, p90, max", func(f figures) string { return distribution(f.functions) }},
		{"lines of tests", func(f figures) string { return fmt.Sprint(f.tests) }},
		{"lines of test kits, in neither", func(f figures) string { return fmt.Sprint(f.kits) }},
		{"test : code", func(f figures) string { return fmt.Sprintf("%.2f", float64(f.tests)/float64(max(1, f.lines()))) }},
		{"packages", func(f figures) string { return fmt.Sprint(len(f.packages)) }},
		{"testable examples", func(f figures) string { return fmt.Sprint(f.examples) }},
	} {
		t.row(r.name, r.value(product), r.value(tooling))
	}
	t.row("direct dependencies", fmt.Sprintf("%d, and %d of the AWS SDK", len(besideSDK(direct)), len(direct)-len(besideSDK(direct))))
	return out.String(), nil
}

// add counts one file.
func (f *figures) add(name string, text []byte) error {
	lines := bytes.Count(text, []byte("\n"))
	folder := path.Dir(name)
	test := strings.HasSuffix(name, "_test.go") || strings.HasSuffix(folder, "/e2e")
	if !test && isKit(folder) {
		f.kits += lines
		return nil
	}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("parse %s: %w", name, err)
	}
	if test {
		f.tests += lines
	} else {
		f.files = append(f.files, lines)
		if f.packages == nil {
			f.packages = map[string]bool{}
		}
		f.packages[folder] = true
	}
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		switch {
		case !ok:
		case !test:
			f.functions = append(f.functions, files.Position(function.End()).Line-files.Position(function.Pos()).Line+1)
		case strings.HasPrefix(function.Name.Name, "Example"):
			f.examples++
		}
	}
	return nil
}

// isKit reports whether a folder belongs to a test kit: a package named after what it
// helps to test, such as registrytest, and those below it.
func isKit(folder string) bool {
	return slices.ContainsFunc(strings.Split(folder, "/"), func(part string) bool { return strings.HasSuffix(part, "test") })
}

func (f *figures) lines() int {
	sum := 0
	for _, n := range f.files {
		sum += n
	}
	return sum
}

// distribution shows the median, the 90th percentile and the maximum.
func distribution(values []int) string {
	if len(values) == 0 {
		return "—"
	}
	sorted := slices.Sorted(slices.Values(values))
	at := func(share float64) int { return sorted[int(share*float64(len(sorted)-1)+0.5)] }
	return fmt.Sprintf("%d, %d, %d", at(0.5), at(0.9), sorted[len(sorted)-1])
}
