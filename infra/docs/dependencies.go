package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const (
	fileDependencies = "dependencies.md"

	// maxDependencies bounds the direct dependencies beside the AWS SDK.
	maxDependencies = 25
	awsSDK          = "github.com/aws/aws-sdk-go-v2"
)

// checkDependencies fails unless docs/dependencies.md has exactly one row, with a
// reason, for each direct dependency of go.mod.
func checkDependencies(root string) error {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod")) //nolint:gosec // the project's own file
	if err != nil {
		return fmt.Errorf("read go.mod: %w", err)
	}
	document, err := os.ReadFile(filepath.Join(root, "docs", fileDependencies)) //nolint:gosec // the project's own file
	if err != nil {
		return fmt.Errorf("read document: %w", err)
	}
	direct, explained := directDependencies(string(mod)), explainedDependencies(string(document))
	for _, path := range direct {
		if !slices.Contains(explained, path) {
			return fmt.Errorf("docs/%s lacks %s: add a row with the reason", fileDependencies, path)
		}
	}
	for i, path := range explained {
		if !slices.Contains(direct, path) {
			return fmt.Errorf("docs/%s has a row for %s, which is no direct dependency", fileDependencies, path)
		}
		if slices.Contains(explained[:i], path) {
			return fmt.Errorf("docs/%s has two rows for %s", fileDependencies, path)
		}
	}
	if n := len(besideSDK(direct)); n > maxDependencies {
		return fmt.Errorf("%d direct dependencies beside the AWS SDK, at most %d", n, maxDependencies)
	}
	return nil
}

// directDependencies returns the module paths that a go.mod requires directly.
func directDependencies(mod string) []string {
	var direct []string
	for _, match := range regexp.MustCompile(`(?m)^(?:require )?\s*(\S+) v\S+$`).FindAllStringSubmatch(mod, -1) {
		direct = append(direct, match[1])
	}
	return direct
}

// explainedDependencies returns the module paths of the table's rows that have a
// reason.
func explainedDependencies(document string) []string {
	var explained []string
	for _, match := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| [^|]*\\S[^|]* \\|").FindAllStringSubmatch(document, -1) {
		explained = append(explained, match[1])
	}
	return explained
}

// besideSDK leaves out the modules of the AWS SDK.
func besideSDK(paths []string) []string {
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		return path == awsSDK || strings.HasPrefix(path, awsSDK+"/")
	})
}
