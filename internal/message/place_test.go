package message_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestTextsHaveTheirPlace: a translator finds every French text of the product in a
// file texts*.go beside its owner, or in the vocabulary.
func TestTextsHaveTheirPlace(t *testing.T) {
	t.Parallel()
	french := regexp.MustCompile(`[éèêàâçùûîôÉÀ«»]|(?i)\b(le|les|la|des|du|un|une|est|sont|dans|pour|avec|aucun|fichier|fichiers|sans|sur)\b`)
	for _, root := range []string{"../../internal", "../../functions", "../../infra/etlctl"} {
		eachString(t, root, isPlaceOfTexts, func(at token.Position, name, text string) {
			if french.MatchString(text) {
				t.Errorf("%s: a French text: %q", at, text)
			}
		})
	}
}

func isPlaceOfTexts(path string) bool {
	return strings.HasPrefix(filepath.Base(path), "texts") || filepath.Base(filepath.Dir(path)) == "etl"
}

// TestNoTwoLogMessagesAlike: saved queries and alarms tell lines of the log apart by
// their messages, so no two constants of the texts are equal.
func TestNoTwoLogMessagesAlike(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	eachString(t, "../../internal", func(path string) bool { return !strings.HasPrefix(filepath.Base(path), "texts") }, func(at token.Position, name, text string) {
		if name == "" {
			return
		}
		if text == "" {
			t.Errorf("%s: %s is empty", at, name)
		}
		if other, twice := seen[text]; twice {
			t.Errorf("%s: %s and %s are both %q", at, other, name, text)
		}
		seen[text] = name
	})
	if len(seen) < 100 {
		t.Errorf("only %d texts were found", len(seen))
	}
}

// eachString calls f with every string literal of the Go files under root, but tests
// and those to skip. name is that of the constant which it alone is the value of.
func eachString(t *testing.T, root string, skip func(path string) bool, f func(at token.Position, name, text string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || skip(filepath.ToSlash(path)) {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		names := map[ast.Expr]string{}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok {
				for i, value := range spec.Values {
					names[value] = spec.Names[i].Name
				}
			}
			if field, ok := n.(*ast.Field); ok {
				field.Tag = nil // names of arguments are part of the command's interface
			}
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Error(err)
			}
			f(files.Position(literal.Pos()), names[literal], text)
			return true
		})
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
