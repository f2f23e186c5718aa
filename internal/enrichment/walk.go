package enrichment

// The functions of this file walk JSON that is known to be valid, without
// decoding it: encoding/json would copy every member of every result, at five
// times the cost of the whole answer.

// eachMember calls visit with the name, in quotes and as it is written, and the
// value of each member of an object; not at all if value is not an object. A name with
// escapes is never one of a contract.
func eachMember(value []byte, visit func(name, value []byte)) {
	at := skipSpace(value, 0)
	if at == len(value) || value[at] != '{' {
		return
	}
	for at = skipSpace(value, at+1); value[at] == '"'; at = skipSpace(value, at) {
		nameEnd := valueEnd(value, at)
		from := skipSpace(value, skipSpace(value, nameEnd)+1) // beyond the colon
		to := valueEnd(value, from)
		visit(value[at:nameEnd], value[from:to])
		if at = skipSpace(value, to); value[at] != ',' {
			return
		}
		at++
	}
}

// eachElement calls visit with each element of an array; not at all if value is not
// one.
func eachElement(value []byte, visit func(element []byte)) {
	at := skipSpace(value, 0)
	if at == len(value) || value[at] != '[' {
		return
	}
	for at = skipSpace(value, at+1); value[at] != ']'; at = skipSpace(value, at) {
		to := valueEnd(value, at)
		visit(value[at:to])
		if at = skipSpace(value, to); value[at] != ',' {
			return
		}
		at++
	}
}

func skipSpace(b []byte, at int) int {
	for at < len(b) && (b[at] == ' ' || b[at] == '\t' || b[at] == '\n' || b[at] == '\r') {
		at++
	}
	return at
}

// valueEnd returns the end of the value that starts at a position.
func valueEnd(b []byte, at int) int {
	depth := 0
	for ; at < len(b); at++ {
		switch b[at] {
		case '"':
			for at++; b[at] != '"'; at++ {
				if b[at] == '\\' {
					at++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth == 0 {
				return at // of what holds a number or a word
			}
			depth--
		case ',', ':', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return at // the same
			}
			continue
		default:
			continue // of a number, a word, or inside
		}
		if depth == 0 {
			return at + 1
		}
	}
	return at
}
