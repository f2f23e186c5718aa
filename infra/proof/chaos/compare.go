package main

import (
	"slices"
	"strings"
)

// difference is what one content has more and less than another.
type difference struct {
	more, less []string
}

// compare counts each line of two contents, in any order.
func compare(want, got []string) (d difference) {
	counts := map[string]int{}
	for _, line := range want {
		counts[line]++
	}
	for _, line := range got {
		if counts[line]--; counts[line] < 0 {
			d.more = append(d.more, line)
		}
	}
	for line, n := range counts {
		for range n {
			d.less = append(d.less, line)
		}
	}
	return d
}

// kinds says which kinds of lines there are, and how many of each; the lines
// themselves hold values in the clear.
func kinds(lines []string) string {
	counts := map[string]int{}
	var order []string
	for _, line := range lines {
		words := strings.Fields(line)
		kind := strings.Join(words[:min(2, len(words))], " ")
		if counts[kind]++; counts[kind] == 1 {
			order = append(order, kind)
		}
	}
	var parts []string
	for _, kind := range order {
		parts = append(parts, plural(counts[kind], kind))
	}
	return strings.Join(parts, ", ")
}

// missingKinds tells which kinds of lines a content has none of; a comparison
// would say nothing of them.
func missingKinds(lines []string) (missing []string) {
	for _, kind := range []string{"target", "event", "error", "reject", "file", "ledger", "import", "table", "staged", "object", inserted} {
		if !slices.ContainsFunc(lines, func(line string) bool {
			return strings.HasPrefix(line, kind+" ") && !strings.HasSuffix(line, " 0")
		}) {
			missing = append(missing, kind)
		}
	}
	return missing
}
