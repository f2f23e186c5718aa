package validation

import (
	"fmt"
	"regexp/syntax"
	"unicode/utf8"
)

// matcher matches the simple patterns that contracts are full of, such as
// [0-9]{10} or \+[0-9]{8,15}, without a regular expression engine: a sequence
// of character classes, each with a fixed number of repetitions, and only the
// last one with a range. There, taking as much as possible is always right.
// It is about ten times faster than package regexp, and its tests hold it to
// the same answers.
type matcher struct {
	items []repeat
}

// repeat is a class that stands min to max times; max -1 is no limit.
type repeat struct {
	class    class
	min, max int
}

// class is a set of characters.
type class struct {
	ascii [utf8.RuneSelf]bool
	pairs []rune // lowest and highest of each range, ascending
}

// newMatcher returns nil if the expression, which must be anchored at both ends,
// is not of the simple form.
func newMatcher(expression string) (*matcher, error) {
	tree, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("parse the pattern: %w", err)
	}
	if tree.Op != syntax.OpConcat || len(tree.Sub) < 3 {
		return nil, nil //nolint:nilnil // documented: no matcher for this form
	}
	last := len(tree.Sub) - 1
	if tree.Sub[0].Op != syntax.OpBeginText || tree.Sub[last].Op != syntax.OpEndText || tree.Sub[last].Flags&syntax.WasDollar != 0 {
		return nil, nil //nolint:nilnil // as above
	}
	m := &matcher{}
	for _, sub := range flatten(tree.Sub[1:last]) {
		items, ok := newItems(sub)
		if !ok {
			return nil, nil //nolint:nilnil // as above
		}
		m.items = append(m.items, items...)
	}
	for _, item := range m.items[:max(len(m.items)-1, 0)] {
		if item.min != item.max {
			return nil, nil //nolint:nilnil // as above
		}
	}
	return m, nil
}

// flatten opens sequences within the sequence.
func flatten(subs []*syntax.Regexp) []*syntax.Regexp {
	var flat []*syntax.Regexp
	for _, sub := range subs {
		if sub.Op == syntax.OpConcat {
			flat = append(flat, flatten(sub.Sub)...)
		} else {
			flat = append(flat, sub)
		}
	}
	return flat
}

// newItems returns the items of one part of the pattern; false if it is not simple.
func newItems(re *syntax.Regexp) ([]repeat, bool) {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase != 0 {
			return nil, false
		}
		var items []repeat
		for _, r := range re.Rune {
			items = append(items, repeat{newClass([]rune{r, r}), 1, 1})
		}
		return items, true
	case syntax.OpCharClass:
		return []repeat{{newClass(re.Rune), 1, 1}}, true
	case syntax.OpRepeat, syntax.OpPlus, syntax.OpStar, syntax.OpQuest:
		items, ok := newItems(re.Sub[0])
		if !ok || len(items) != 1 || items[0].min != 1 || items[0].max != 1 {
			return nil, false
		}
		switch re.Op {
		case syntax.OpPlus:
			items[0].max = -1
		case syntax.OpStar:
			items[0].min, items[0].max = 0, -1
		case syntax.OpQuest:
			items[0].min = 0
		default:
			items[0].min, items[0].max = re.Min, re.Max
		}
		return items, true
	default:
		return nil, false
	}
}

func newClass(pairs []rune) class {
	c := class{pairs: pairs}
	for i := 0; i < len(pairs); i += 2 {
		for r := pairs[i]; r <= pairs[i+1] && r < utf8.RuneSelf; r++ { //nolint:gosec // the bounds of ranges come in pairs
			c.ascii[r] = true
		}
	}
	return c
}

// match reports whether the whole text matches.
func (m *matcher) match(text []byte) bool {
	for i := range m.items {
		item := &m.items[i]
		count := 0
		for len(text) > 0 && count != item.max {
			size := 1
			if text[0] < utf8.RuneSelf {
				if !item.class.ascii[text[0]] {
					break
				}
			} else {
				var r rune
				if r, size = utf8.DecodeRune(text); !item.class.has(r) {
					break
				}
			}
			text = text[size:]
			count++
		}
		if count < item.min {
			return false
		}
	}
	return len(text) == 0
}

// has looks a character up that is not ASCII.
func (c *class) has(r rune) bool {
	low, high := 0, len(c.pairs)/2
	for low < high {
		middle := (low + high) / 2
		switch {
		case r < c.pairs[2*middle]:
			high = middle
		case r > c.pairs[2*middle+1]:
			low = middle + 1
		default:
			return true
		}
	}
	return false
}
