package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
)

// brokenLinks lists the relative links of the documents under root that lead to no
// file, or to no heading of a document, and the paths in code style that name no
// file or folder of the project. The changelog may name what is gone.
func brokenLinks(root string) ([]string, error) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	named := regexp.MustCompile("`((?:internal|infra|functions|statemachine|migrations|docs)/[\\w./-]+)`")
	var broken []string
	err := eachDocument(root, func(name, document string) {
		check := func(number int, line string) {
			for _, match := range link.FindAllStringSubmatch(line, -1) {
				if !resolves(root, name, match[1]) {
					broken = append(broken, fmt.Sprintf("%s:%d: %s", name, number, match[1]))
				}
			}
			if name == "CHANGELOG.md" {
				return
			}
			for _, match := range named.FindAllStringSubmatch(line, -1) {
				if !resolves(root, "README.md", match[1]) {
					broken = append(broken, fmt.Sprintf("%s:%d: %s", name, number, match[1]))
				}
			}
		}
		prose(document, check, func(number int, line string) {
			if strings.HasPrefix(strings.TrimSpace(line), "|") {
				check(number, line)
			}
		})
	})
	return broken, err
}

// resolves reports whether a link in the document of that name leads somewhere.
// Links to other sites are not tried.
func resolves(root, name, link string) bool {
	if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
		return true
	}
	target, anchor, _ := strings.Cut(link, "#")
	file := name
	if target != "" {
		file = path.Join(path.Dir(name), target)
	}
	file = filepath.Join(root, filepath.FromSlash(file))
	if anchor == "" {
		_, err := os.Stat(file) //nolint:gosec // a file that a document links
		return err == nil
	}
	text, err := os.ReadFile(file) //nolint:gosec // a document that another one links
	return err == nil && hasHeading(string(text), anchor)
}

// hasHeading reports whether a document has a heading with that anchor.
func hasHeading(document, anchor string) bool {
	found := false
	prose(document, func(int, string) {}, func(_ int, line string) {
		if strings.HasPrefix(line, "#") && slug(strings.TrimLeft(line, "# ")) == anchor {
			found = true
		}
	})
	return found
}

// slug returns the anchor that GitHub gives to a heading: lower case, without
// punctuation, with hyphens for blanks.
func slug(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}
