package fault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"etl-dataloader/internal/awstest"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
)

// TestTexts: every fault says what it has to say in a text of bounded length, as
// package message makes it; also one that is added later.
func TestTexts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			method, ok := decl.(*ast.FuncDecl)
			if !ok || method.Recv == nil || method.Name.Name != "Error" {
				continue
			}
			seen++
			for _, statement := range method.Body.List {
				if result, ok := statement.(*ast.ReturnStmt); ok && !isText(result.Results[0]) {
					t.Errorf("%s: a fault's Error does not return message.Text(…)", name)
				}
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d faults were found", seen)
	}
}

// isText reports whether an expression is a call of message.Text.
func isText(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	function, ok := call.Fun.(*ast.SelectorExpr)
	return ok && fmt.Sprint(function.X, function.Sel) == "message Text"
}

// TestMonstrousFaults: what a fault holds may be of any size and hold anything;
// what leaves the function does not, and what is logged neither.
func TestMonstrousFaults(t *testing.T) {
	t.Parallel()
	monster := strings.Repeat("é\x1b]0;titre\n\u202e", 40_000)
	many := make([]string, 100_000)
	for i := range many {
		many[i] = fmt.Sprintf("client_data_%d", i)
	}
	for name, err := range map[string]error{
		"plain":            errors.New(monster),
		"transient":        &fault.Transient{Op: monster, Err: errors.New(monster)},
		"nested":           fmt.Errorf("%s: %w", monster, &fault.Transient{Op: "x", Err: errors.New(monster)}),
		"missing files":    &fault.MissingFiles{ImportID: "I", Missing: many},
		"invalid file":     &fault.InvalidFile{Files: []fault.RefusedFile{{File: monster, Reason: monster}, {File: monster, Reason: monster}}},
		"superseded":       &fault.Superseded{ImportID: monster},
		"incompatible":     &fault.Incompatible{Object: monster, Reason: monster},
		"budget exceeded":  &fault.BudgetExceeded{ImportID: "I", Files: many},
		"too many records": &fault.TooManyRecords{ImportID: monster},
		"implausible":      &fault.Implausible{ImportID: monster, Tables: make([]fault.Shrink, 1000)},
		"token key":        &fault.TokenKeyChanged{ImportID: monster, First: monster},
		"mismatch":         &fault.Mismatch{ImportID: "I", Reason: monster},
		"refused":          &fault.Refused{ImportID: "I", Reason: monster},
		"unexpected":       &fault.Unexpected{Err: errors.New(monster)},
	} {
		var log bytes.Buffer
		_, got := fault.Boundary(centrallog.New(&log, slog.LevelInfo), func(context.Context, int) (int, error) { return 0, err })(t.Context(), 1)
		text := got.Error()
		if len(text) > message.TextBytes || !utf8.ValidString(text) || strings.ContainsAny(text, "\x1b\n\u202e") {
			t.Errorf("%s: %d bytes: %q", name, len(text), text[:min(len(text), 200)])
		}
		if line := log.String(); len(line) > 4*message.TextBytes || strings.ContainsAny(line, "\x1b\u202e") || awstest.LogEvent(log.Bytes()) != nil {
			t.Errorf("%s: a log line of %d bytes", name, len(line))
		}
		if err := awstest.Cause(string(fault.Name(got)), text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := (&fault.MissingFiles{ImportID: "I", Missing: many}).Error(); !strings.Contains(got, "autres") || strings.Contains(got, "coupé") {
		t.Errorf("a long list is %q", got)
	}
}
