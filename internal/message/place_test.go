package message_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestTextsHaveTheirPlace: a translator finds every French text of the product in a
// file texts*.go beside its owner, in this package, or in the vocabulary.
func TestTextsHaveTheirPlace(t *testing.T) {
	t.Parallel()
	for _, root := range []string{"../../internal", "../../functions", "../../infra/etlctl"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			name := entry.Name()
			if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || isPlaceOfTexts(path) {
				return err
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				literal, ok := n.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					return true
				}
				if text, err := strconv.Unquote(literal.Value); err != nil || strings.ContainsAny(text, "éèêàâçùûîôÉÀ«»") {
					t.Errorf("%s: a French text: %s", files.Position(literal.Pos()), literal.Value)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func isPlaceOfTexts(path string) bool {
	path = filepath.ToSlash(path)
	return strings.HasPrefix(filepath.Base(path), "texts") ||
		strings.HasPrefix(path, "../../internal/message/") || strings.HasPrefix(path, "../../internal/etl/")
}
