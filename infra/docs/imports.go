package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

const (
	module       = "etl-dataloader"
	fileHouse    = "house.md"
	functionsDir = "functions"
)

// importGraph maps each package of the product to those that it imports, by their
// paths below the module: tests, test kits and local tools are left out, and all
// functions are one package.
type importGraph map[string][]string

// loadImports reads the imports of the packages under root.
func loadImports(root string) (importGraph, error) {
	found := map[string]map[string]bool{}
	err := eachGoFile(os.DirFS(root), func(name string, text []byte) error {
		from := packageOf(path.Dir(name))
		if from == "" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
		if err != nil {
			return fmt.Errorf("parse %s: %w", name, err)
		}
		if found[from] == nil {
			found[from] = map[string]bool{}
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return fmt.Errorf("parse %s: %w", name, err)
			}
			if to := packageOf(strings.TrimPrefix(imported, module+"/")); to != "" && strings.HasPrefix(imported, module+"/") && to != from {
				found[from][to] = true
			}
		}
		return nil
	})
	graph := importGraph{}
	for from, to := range found {
		graph[from] = slices.Sorted(maps.Keys(to))
	}
	return graph, err
}

// packageOf names the package of a folder in the picture; "" if it is not in it.
func packageOf(folder string) string {
	top, _, _ := strings.Cut(folder, "/")
	switch {
	case isKit(folder):
		return ""
	case top == functionsDir:
		return functionsDir
	case top == "internal", top == "migrations", folder == "infra/etlctl":
		return strings.TrimPrefix(strings.TrimPrefix(folder, "internal/"), "infra/")
	}
	return ""
}

// eachGoFile calls f for every Go file, except generated and downloaded ones.
func eachGoFile(tree fs.FS, f func(name string, text []byte) error) error {
	return fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if entry.IsDir() && (base == "testdata" || base == "build" || strings.HasPrefix(base, ".") && base != ".") {
			return fs.SkipDir
		}
		if entry.IsDir() || path.Ext(name) != ".go" {
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		return f(name, text)
	})
}

// importsPart draws which package imports which. An import that follows from
// others is left out, as it would hide the layers.
func importsPart(s *source) string {
	var out strings.Builder
	line(&out, "```mermaid\nflowchart TB")
	for _, from := range slices.Sorted(maps.Keys(s.imports)) {
		for _, to := range s.imports[from] {
			if !s.imports.follows(from, to) {
				line(&out, "    %s --> %s", node(from), node(to))
			}
		}
	}
	line(&out, "```")
	return out.String()
}

// node is a package's name as Mermaid takes it.
func node(name string) string { return strings.ReplaceAll(name, "/", "_") }

// follows reports whether from reaches to also by way of another import.
func (g importGraph) follows(from, to string) bool {
	return slices.ContainsFunc(g[from], func(between string) bool { return between != to && g.reaches(between, to) })
}

// reaches reports whether from imports to, directly or not. Go has no import cycles.
func (g importGraph) reaches(from, to string) bool {
	return slices.ContainsFunc(g[from], func(next string) bool { return next == to || g.reaches(next, to) })
}
