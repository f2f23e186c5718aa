package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Prose is wrapped so that a diff shows the sentence that changed. Tables, code and
// lines that hold a single word, such as a long link, are exempt.
const (
	wrapColumn = 100 // where generated documents are wrapped
	maxColumn  = 160 // the longest line of prose in any document
)

// prose calls text for every line of a Markdown document that holds prose, and
// verbatim for every other line: blank lines, tables, code, headings and comments.
func prose(document string, text, verbatim func(number int, line string)) {
	fenced := false
	for i, line := range strings.Split(document, "\n") {
		trimmed := strings.TrimSpace(line)
		fence := strings.HasPrefix(trimmed, "```")
		if fence {
			fenced = !fenced
		}
		switch {
		case fence, fenced, trimmed == "", strings.HasPrefix(trimmed, "|"), strings.HasPrefix(trimmed, "#"), strings.HasPrefix(trimmed, "<!--"):
			verbatim(i+1, line)
		default:
			text(i+1, line)
		}
	}
}

// item matches what begins an item of a list.
var item = regexp.MustCompile(`^\s*([-*+]|\d+\.)\s+`) //nolint:gochecknoglobals // a compiled constant

// wrap fills the paragraphs and list items of a document to wrapColumn. Words that
// Markdown would take for the beginning of a block never begin a line, and code
// within a line stays together.
func wrap(document string) string {
	var lines []string
	var first, rest string // prefixes of the paragraph's lines
	var words []string
	flush := func() {
		lines = append(lines, fill(words, first, rest)...)
		words = nil
	}
	prose(document, func(_ int, line string) {
		marker := item.FindString(line)
		if marker != "" || len(words) == 0 {
			flush()
			first = marker
			if marker == "" {
				first = line[:len(line)-len(strings.TrimLeft(line, " "))]
			}
			rest = strings.Repeat(" ", len(first))
		}
		words = append(words, atoms(strings.TrimPrefix(line, marker))...)
	}, func(_ int, line string) {
		flush()
		lines = append(lines, line)
	})
	flush()
	return strings.Join(lines, "\n")
}

// fill lays words out as lines of at most wrapColumn characters.
func fill(words []string, first, rest string) []string {
	if len(words) == 0 {
		return nil
	}
	lines := []string{first + words[0]}
	for _, word := range words[1:] {
		last := &lines[len(lines)-1]
		begins := item.MatchString(word+" ") || strings.ContainsAny(word[:1], "#>|=")
		if begins || utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) <= wrapColumn {
			*last += " " + word
			continue
		}
		lines = append(lines, rest+word)
	}
	return lines
}

// atoms splits a line into what must not be broken: words, code with its blanks, and
// French punctuation with the word that it belongs to.
func atoms(line string) []string {
	var found []string
	glue := false
	for _, word := range strings.Fields(line) {
		if n := len(found); n > 0 && (glue || slices.Contains([]string{":", ";", "!", "?", "»", "%"}, word)) {
			found[n-1] += " " + word
		} else {
			found = append(found, word)
		}
		glue = word == "«" || strings.Count(found[len(found)-1], "`")%2 == 1
	}
	return found
}

// longLines lists the lines of prose under root that are longer than maxColumn.
func longLines(root string) ([]string, error) {
	var found []string
	err := eachDocument(root, func(path, document string) {
		prose(document, func(number int, line string) {
			if utf8.RuneCountInString(line) > maxColumn && len(strings.Fields(line)) > 1 {
				found = append(found, fmt.Sprintf("%s:%d", path, number))
			}
		}, func(int, string) {})
	})
	return found, err
}

// eachDocument calls f with the path under root and the text of every document that
// people read: those of the root folder and all under docs.
func eachDocument(root string, f func(path, document string)) error {
	paths, err := filepath.Glob(filepath.Join(root, "*.md"))
	if err != nil {
		return fmt.Errorf("list documents: %w", err)
	}
	err = filepath.WalkDir(filepath.Join(root, "docs"), func(path string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list documents: %w", err)
	}
	for _, path := range paths {
		document, err := os.ReadFile(path) //nolint:gosec // the project's own documents
		if err != nil {
			return fmt.Errorf("read document: %w", err)
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return fmt.Errorf("name document: %w", err)
		}
		f(filepath.ToSlash(name), string(document))
	}
	return nil
}
