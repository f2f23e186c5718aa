package validation

import (
	"encoding/binary"
	"fmt"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// automaton matches a pattern of the contract without a regular expression
// engine: one table step per character. It is about ten times faster than package
// regexp; its tests compare the two. It is built once per file.
type automaton struct {
	ascii  [utf8.RuneSelf]uint8 // class of each ASCII character
	starts []rune               // first character of each range, ascending, from 0 on
	ranges []uint8              // class of each range
	width  int                  // number of classes
	next   []uint16             // by state and class; nothing leaves state 0
	accept []bool               // by state
}

// Maximum numbers of states and classes of an automaton. A pattern that needs more is
// left to package regexp.
const (
	maxStates  = 1 << 12
	maxClasses = 1 << 7
)

// newAutomaton returns nil if the expression, which must be anchored at both
// ends, is not suitable: it needs too large a table, or looks at the surroundings of
// a place, as \b does.
func newAutomaton(expression string) (*automaton, error) {
	tree, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("parse the pattern: %w", err)
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, fmt.Errorf("compile the pattern: %w", err)
	}
	if !anchored(tree) {
		return nil, nil //nolint:nilnil // documented: no automaton for this form
	}
	b := &builder{prog: prog, a: &automaton{}, number: map[string]uint16{}}
	if !b.classes() || !b.states() {
		return nil, nil //nolint:nilnil // as above
	}
	return b.a, nil
}

// anchored reports whether the whole text must match, and nothing in between
// looks at its surroundings.
func anchored(tree *syntax.Regexp) bool {
	if tree.Op != syntax.OpConcat || len(tree.Sub) < 2 {
		return false
	}
	last := len(tree.Sub) - 1
	if tree.Sub[0].Op != syntax.OpBeginText || tree.Sub[last].Op != syntax.OpEndText || tree.Sub[last].Flags&syntax.WasDollar != 0 {
		return false
	}
	return !slices.ContainsFunc(tree.Sub[1:last], looksAround)
}

func looksAround(tree *syntax.Regexp) bool {
	switch tree.Op {
	case syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	default:
		return slices.ContainsFunc(tree.Sub, looksAround)
	}
}

// builder makes an automaton: its states are sets of instructions of the
// compiled pattern (Rabin and Scott's construction).
type builder struct {
	prog   *syntax.Prog
	a      *automaton
	sets   [][]uint32        // instructions of each state, ascending
	number map[string]uint16 // state by its instructions
	sample []rune            // one character of each class
}

// classes groups the characters that no instruction distinguishes.
func (b *builder) classes() bool {
	readers := b.readers()
	cuts := []rune{0, unicode.MaxRune + 1}
	for _, inst := range readers {
		cuts = append(cuts, edges(inst)...)
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	known := map[string]uint8{}
	signature := make([]byte, len(readers))
	for _, start := range cuts[:len(cuts)-1] {
		for i, inst := range readers {
			signature[i] = 0
			if inst.MatchRune(start) {
				signature[i] = 1
			}
		}
		class, ok := known[string(signature)]
		if !ok {
			if len(known) == maxClasses {
				return false
			}
			class = uint8(len(known)) //nolint:gosec // at most maxClasses
			known[string(signature)] = class
			b.sample = append(b.sample, start)
		}
		b.a.starts, b.a.ranges = append(b.a.starts, start), append(b.a.ranges, class)
	}
	b.a.width = len(known)
	for c := range b.a.ascii {
		b.a.ascii[c] = b.a.class(rune(c))
	}
	return true
}

// readers returns one instruction for each set of characters that some read.
func (b *builder) readers() []*syntax.Inst {
	var found []*syntax.Inst
	for i := range b.prog.Inst {
		inst := &b.prog.Inst[i]
		if reads(inst) && !slices.ContainsFunc(found, func(other *syntax.Inst) bool {
			return other.Op == inst.Op && other.Arg == inst.Arg && slices.Equal(other.Rune, inst.Rune)
		}) {
			found = append(found, inst)
		}
	}
	return found
}

func reads(inst *syntax.Inst) bool {
	switch inst.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	default:
		return false
	}
}

// edges returns where the result of an instruction may change: the first character of
// each range and the one after its last.
func edges(inst *syntax.Inst) []rune {
	switch {
	case inst.Op == syntax.InstRuneAnyNotNL:
		return []rune{'\n', '\n' + 1}
	case len(inst.Rune) == 1: // one character, perhaps in either case
		found := []rune{inst.Rune[0], inst.Rune[0] + 1}
		for r := unicode.SimpleFold(inst.Rune[0]); r != inst.Rune[0]; r = unicode.SimpleFold(r) {
			found = append(found, r, r+1)
		}
		return found
	default:
		found := slices.Clone(inst.Rune)
		for i := 1; i < len(found); i += 2 {
			found[i]++
		}
		return found
	}
}

// states builds the transitions of every state by every class.
func (b *builder) states() bool {
	b.add(nil)                            // the state that nothing leaves
	b.add([]uint32{uint32(b.prog.Start)}) //nolint:gosec // an index
	for state := 0; state < len(b.sets); state++ {
		for _, character := range b.sample {
			var after []uint32
			for _, pc := range b.sets[state] {
				if inst := &b.prog.Inst[pc]; reads(inst) && inst.MatchRune(character) {
					after = append(after, inst.Out)
				}
			}
			to, ok := b.add(after)
			if !ok {
				return false
			}
			b.a.next = append(b.a.next, to)
		}
	}
	return true
}

// add returns the state of a set of instructions and of all that follow without
// consuming a character; false if there are too many states.
func (b *builder) add(from []uint32) (uint16, bool) {
	set := map[uint32]bool{}
	accept := false
	for waiting := slices.Clone(from); len(waiting) > 0; {
		pc := waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		if set[pc] {
			continue
		}
		set[pc] = true
		switch inst := &b.prog.Inst[pc]; inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			waiting = append(waiting, inst.Out, inst.Arg)
		case syntax.InstCapture, syntax.InstNop:
			waiting = append(waiting, inst.Out)
		case syntax.InstEmptyWidth: // the two anchors; the last one leads to the match
			if syntax.EmptyOp(inst.Arg)&syntax.EmptyEndText != 0 { //nolint:gosec // the compiler put it there
				accept = true
			} else {
				waiting = append(waiting, inst.Out)
			}
		}
	}
	var key []uint32
	name := []byte{0}
	if accept {
		name[0] = 1
	}
	for pc := range set {
		if reads(&b.prog.Inst[pc]) {
			key = append(key, pc)
		}
	}
	slices.Sort(key)
	for _, pc := range key {
		name = binary.LittleEndian.AppendUint32(name, pc)
	}
	if n, ok := b.number[string(name)]; ok {
		return n, true
	}
	n := len(b.sets)
	if n == maxStates {
		return 0, false
	}
	b.number[string(name)] = uint16(n) //nolint:gosec // at most maxStates
	b.sets, b.a.accept = append(b.sets, key), append(b.a.accept, accept)
	return uint16(n), true //nolint:gosec // as above
}

// class returns the class of a character.
func (a *automaton) class(r rune) uint8 {
	low, high := 0, len(a.starts)
	for low+1 < high {
		middle := (low + high) / 2
		if a.starts[middle] <= r {
			low = middle
		} else {
			high = middle
		}
	}
	return a.ranges[low]
}

// match reports whether the whole text matches. The number of steps depends only on
// the length of the text.
func (a *automaton) match(text []byte) bool {
	state := uint16(1)
	for i := 0; i < len(text); {
		class := uint8(0)
		if c := text[i]; c < utf8.RuneSelf {
			class = a.ascii[c]
			i++
		} else {
			r, size := utf8.DecodeRune(text[i:])
			class = a.class(r)
			i += size
		}
		if state = a.next[int(state)*a.width+int(class)]; state == 0 {
			return false
		}
	}
	return a.accept[state]
}
