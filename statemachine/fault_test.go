package statemachine_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// faults reads which types of internal/fault are errors, and which of them are
// of the kind Stop (they give advice).
func faults(t *testing.T) (errors, stops []string) {
	t.Helper()
	files, err := filepath.Glob("../internal/fault/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of internal/fault: %v", err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			method, ok := d.(*ast.FuncDecl)
			if !ok || method.Recv == nil {
				continue
			}
			pointer, ok := method.Recv.List[0].Type.(*ast.StarExpr)
			if !ok {
				continue
			}
			switch receiver := pointer.X.(*ast.Ident).Name; method.Name.Name {
			case "Error":
				errors = append(errors, receiver)
			case "Advice":
				stops = append(stops, receiver)
			}
		}
	}
	return errors, stops
}

// TestErrorNames ties what the machine retries to the Go types that Lambda
// reports: a type that is renamed would no longer be retried.
func TestErrorNames(t *testing.T) {
	errors, stops := faults(t)
	if !slices.Contains(errors, "Transient") || !slices.Contains(stops, "Mismatch") {
		t.Fatalf("package fault is read wrongly: errors %v, of them stops %v", errors, stops)
	}
	platform := []string{"States.", "Lambda.", "Runtime.", "Sandbox."}
	eachOf(t, func(name string, s *state) {
		retried := false
		for _, r := range s.Retry {
			for _, e := range r.ErrorEquals {
				if slices.ContainsFunc(platform, func(p string) bool { return strings.HasPrefix(e, p) }) {
					if e == "States.ALL" || e == "States.TaskFailed" {
						t.Errorf("%s retries %s, which includes what no retry can mend", name, e)
					}
					continue
				}
				if !slices.Contains(errors, e) {
					t.Errorf("%s retries %s, which is no type of package fault", name, e)
				}
				if slices.Contains(stops, e) {
					t.Errorf("%s retries %s, which no retry can mend", name, e)
				}
				retried = retried || e == "Transient"
			}
		}
		if s.Type == "Task" && !retried {
			t.Errorf("%s does not retry a Transient fault", name)
		}
	})
}

// TestThrottling: if the account has no free concurrency, the machine waits (SQLSTATE
// 53300 is already a Transient fault).
func TestThrottling(t *testing.T) {
	eachOf(t, func(name string, s *state) {
		if s.Type == "Task" && !slices.Contains(s.Retry[0].ErrorEquals, "Lambda.TooManyRequestsException") {
			t.Errorf("%s does not retry Lambda.TooManyRequestsException", name)
		}
	})
}
