package statemachine_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestOneClassifier: only fault.FromAWS and postgres.Classify classify errors of AWS and
// PostgreSQL. Code that creates a Transient fault itself would retry a missing
// permission; the places that do have no error of a service.
func TestOneClassifier(t *testing.T) {
	allowed := map[string]string{
		"internal/fault/aws.go":          "the classifier of AWS",
		"internal/postgres/classify.go":  "the classifier of PostgreSQL",
		"internal/postgres/snapshot.go":  "readers did not end in time",
		"internal/postgres/migrate.go":   "another deployment migrates",
		"internal/registry/arrival.go":   "others kept changing an item",
		"internal/registry/landing.go":   "DynamoDB left keys of a batch unread",
		"internal/phase/enrich_parts.go": "the function's time is up",
		"internal/phase/replay_unit.go":  "the function's time is up",
	}
	found := map[string]bool{}
	err := filepath.WalkDir("../internal", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(filepath.ToSlash(path), "../")
		if strings.Contains(string(text), "&fault.Transient{") || strings.HasPrefix(name, "internal/fault/") && strings.Contains(string(text), "&Transient{") {
			found[name] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if _, ok := allowed[name]; !ok {
			t.Errorf("%s makes a Transient fault by hand: use fault.FromAWS or postgres.Classify", name)
		}
	}
	for name := range allowed {
		if !found[name] {
			t.Errorf("%s makes none any more: strike it off", name)
		}
	}
}
