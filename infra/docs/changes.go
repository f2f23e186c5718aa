package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	fileChanges = "changes.md"

	// maxTouched is how many files or folders one foreseeable change may touch.
	maxTouched = 6
)

// checkChanges fails if a row of docs/changes.md names nothing to touch, more than
// maxTouched paths, or one that does not exist.
func checkChanges(root string) error {
	document, err := os.ReadFile(filepath.Join(root, "docs", fileChanges)) //nolint:gosec // the project's own file
	if err != nil {
		return fmt.Errorf("read document: %w", err)
	}
	row, named := regexp.MustCompile(`(?m)^\| ([^|]+) \| ([^|]+) \|`), regexp.MustCompile("`([^`]+)`")
	for _, change := range row.FindAllStringSubmatch(string(document), -1) {
		if change[1] == "Change" || strings.HasPrefix(change[1], "---") {
			continue
		}
		paths := named.FindAllStringSubmatch(change[2], -1)
		if len(paths) == 0 || len(paths) > maxTouched {
			return fmt.Errorf("docs/%s: %q touches %d files, want 1 to %d", fileChanges, change[1], len(paths), maxTouched)
		}
		for _, path := range paths {
			if !resolves(root, "README.md", path[1]) {
				return fmt.Errorf("docs/%s: %q touches %s, which does not exist", fileChanges, change[1], path[1])
			}
		}
	}
	return nil
}
