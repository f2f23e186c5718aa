package record

import "etl-dataloader/internal/jsonscan"

// maxDepth is how deep brackets may be nested in an element of a JSON array. It is
// the limit of encoding/json and has the same reason, memory.
const maxDepth = 10_000

// verdict is why the tokenizer stopped.
type verdict uint8

const (
	wantTokens verdict = iota // the data ended
	elementEnd                // byte i is the comma or bracket behind the element
	broken                    // the tokens can no longer be trusted
)

// token is the kind of the last token.
type token uint8

const (
	punctuation token = iota // comma, colon or opening bracket; also the start
	stringToken
	wordToken // a number, true, false, null, or anything else without quotes
	closing   // a closing bracket
)

// tokens scans one element of a JSON array for its end. Positions
// count from the start of the data that it is given, which may grow between two
// runs.
type tokens struct {
	i        int    // next byte to look at
	open     []byte // brackets that are open
	last     token
	inString bool
	escaped  bool // within a string, behind a backslash
}

func (t *tokens) reset() { *t = tokens{open: t.open[:0]} }

// run continues in data.
func (t *tokens) run(data []byte) verdict {
	for t.i < len(data) {
		if t.inString {
			t.runString(data)
			continue
		}
		c := data[t.i]
		if jsonscan.IsSpace(c) {
			t.i++
			continue
		}
		if len(t.open) == 0 && (c == ',' || c == ']') {
			return elementEnd
		}
		if !t.step(c) {
			return broken
		}
		t.i++
		if t.last == wordToken {
			t.skipWord(data)
		}
	}
	return wantTokens
}

// runString continues within a string, up to its end.
func (t *tokens) runString(data []byte) {
	i := t.i
	if t.escaped && i < len(data) {
		t.escaped = false
		i++
	}
	for i < len(data) {
		c := data[i]
		i++
		if c == '"' {
			t.inString = false
			break
		}
		if c != '\\' {
			continue
		}
		if i == len(data) {
			t.escaped = true
			break
		}
		i++
	}
	t.i = i
}

// skipWord moves to the end of a word.
func (t *tokens) skipWord(data []byte) {
	for t.i < len(data) && !endsWord(data[t.i]) {
		t.i++
	}
}

// endsWord reports whether c can't be part of a word.
func endsWord(c byte) bool {
	switch c {
	case ' ', '\n', '\t', '\r', '"', '{', '}', '[', ']', ',', ':':
		return true
	default:
		return false
	}
}

// step takes one byte outside a string. It returns false if the tokens can no
// longer be trusted.
func (t *tokens) step(c byte) bool {
	trusted := true
	switch c {
	case '"':
		trusted = t.last != stringToken && t.last != wordToken
		t.inString, t.last = true, stringToken
	case '{', '[':
		trusted = len(t.open) < maxDepth
		t.open = append(t.open, c)
		t.last = punctuation
	case '}', ']':
		trusted = t.closes(c)
		t.last = closing
	case ',', ':':
		t.last = punctuation
	default:
		trusted = t.last != stringToken
		t.last = wordToken
	}
	return trusted
}

// closes takes a closing bracket and reports whether it fits the last open one.
func (t *tokens) closes(c byte) bool {
	n := len(t.open)
	// In ASCII a closing bracket comes two after its opening one.
	if n == 0 || t.open[n-1] != c-2 {
		return false
	}
	t.open = t.open[:n-1]
	return true
}
