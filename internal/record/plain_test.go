package record

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp/cmpopts"
)

// This file is a second reader, written from the rules alone: it holds the whole
// file in memory, looks for one thing at a time, and does not care for speed.

// plainRecord is a record with its own copy of everything.
type plainRecord struct {
	Line   int64
	Fault  Fault
	Raw    string // of a malformed record
	Values []plainValue

	names []string // JSON: the names of the members, if it is an object at all
}

var ignoreNames = cmpopts.IgnoreUnexported(plainRecord{})

type plainValue struct {
	Text string
	Kind Kind
}

// plainCSV reads the records of data from offset p on, which is on this line.
// columns[i] is the position of the file's field i in the contract; lineEnds says
// by that position which may hold a line end.
func plainCSV(data []byte, p int, line int64, columns []int, lineEnds []bool, limit int) []plainRecord {
	var records []plainRecord
	may := func(field int) bool { return field >= len(columns) || lineEnds == nil || lineEnds[columns[field]] }
	for p < len(data) {
		if n := lineEndAt(data, p); n > 0 {
			p, line = p+n, line+1
			continue
		}
		fields, end, bad := plainRow(data, p, limit, may)
		record := plainRecord{Line: line}
		raw := data[p:end]
		switch {
		case len(raw) > limit:
			record.Fault = FaultSize
		case bad:
			record.Fault = FaultQuote
		case bytes.ContainsRune(raw, 0):
			record.Fault = FaultNUL
		case !utf8.Valid(raw):
			record.Fault = FaultEncoding
		case len(fields) != len(columns):
			record.Fault = FaultFields
		}
		if record.Fault != "" {
			record.Raw = string(raw[:min(limit, len(raw))])
		} else {
			record.Values = make([]plainValue, len(columns))
			for i, field := range fields {
				if field != "" {
					record.Values[columns[i]] = plainValue{field, KindText}
				}
			}
		}
		records = append(records, record)
		end += lineEndAt(data, end)
		line += int64(bytes.Count(data[p:end], []byte("\n")))
		p = end
	}
	return records
}

// lineEndAt returns the length of the line end at p: 0 if there is none.
func lineEndAt(data []byte, p int) int {
	switch {
	case bytes.HasPrefix(data[p:], []byte("\r\n")):
		return 2
	case bytes.HasPrefix(data[p:], []byte("\n")):
		return 1
	}
	return 0
}

// plainRow reads one row and returns where its line end starts. A row with a slip
// ends with the line on which the field with the slip starts.
func plainRow(data []byte, p, limit int, mayHoldLineEnd func(field int) bool) (fields []string, end int, slip bool) {
	for {
		start := p
		field := ""
		if p < len(data) && data[p] == '"' {
			closing := closingQuote(data, p)
			if closing < 0 || closing-p > limit {
				return nil, plainLineEnd(data, start), true
			}
			inside := data[p+1 : closing]
			if bytes.Contains(inside, []byte("\n")) && !mayHoldLineEnd(len(fields)) {
				return nil, plainLineEnd(data, start), true
			}
			field = string(bytes.ReplaceAll(inside, []byte(`""`), []byte(`"`)))
			p = closing + 1
			if plainStop(data, p) > p {
				return nil, plainLineEnd(data, start), true
			}
		} else {
			p = plainStop(data, p)
			field = string(data[start:p])
			if bytes.Contains(data[start:p], []byte(`"`)) {
				return nil, plainLineEnd(data, start), true
			}
		}
		fields = append(fields, field)
		if p == len(data) || data[p] != ',' {
			return fields, p, false
		}
		p++
	}
}

// plainLineEnd returns where the line of p ends.
func plainLineEnd(data []byte, p int) int {
	for p < len(data) && lineEndAt(data, p) == 0 {
		p++
	}
	return p
}

// closingQuote returns where the quoted field that opens at p closes, or -1.
func closingQuote(data []byte, p int) int {
	for q := p + 1; q < len(data); q++ {
		if data[q] != '"' {
			continue
		}
		if q+1 < len(data) && data[q+1] == '"' {
			q++
			continue
		}
		return q
	}
	return -1
}

// plainStop returns where a stretch without quotes ends.
func plainStop(data []byte, p int) int {
	for p < len(data) && data[p] != ',' && lineEndAt(data, p) == 0 {
		p++
	}
	return p
}

const jsonSpace = " \t\r\n"

// plainJSONL reads JSON Lines, and returns why the whole file is faulty, if it is.
func plainJSONL(data []byte, layout Layout, limit int) ([]plainRecord, Reason) {
	var records []plainRecord
	var lines [][]byte
	for i, line := range bytes.Split(data, []byte("\n")) {
		line = bytes.TrimLeft(line, jsonSpace)
		if len(line) == 0 {
			continue
		}
		whole := i < bytes.Count(data, []byte("\n"))
		if whole {
			line = bytes.TrimSuffix(line, []byte("\r"))
		}
		records = append(records, plainObject(line, int64(i+1), layout.Columns, limit))
		lines = append(lines, line[:min(limit, len(line))])
	}
	switch {
	case len(lines) == 0:
		return nil, ReasonEmpty
	case lines[0][0] == '[':
		return nil, ReasonArray
	case len(lines) > 1 && records[0].Fault == FaultJSON && lines[0][0] == '{' && plainEndsOpen(lines[0]) && lines[1][0] != '{':
		return nil, ReasonPretty
	}
	if plainJoined(records, func(raw string) bool { return joinedObjects.MatchString(raw) }) {
		return nil, ReasonCRLines
	}
	return records, plainDrift(records, layout)
}

var (
	joinedObjects = regexp.MustCompile(`\}[ \t\r\n]*\r[ \t\r\n]*\{`)
	quotedParts   = regexp.MustCompile(`"[^"]*("|$)`)
)

// plainJoined reports whether all records are faulty and several lines each.
func plainJoined(records []plainRecord, joined func(raw string) bool) bool {
	return len(records) > 0 && !slices.ContainsFunc(records, func(r plainRecord) bool { return r.Fault == "" || !joined(r.Raw) })
}

// plainRows reports whether most of the lines that CRs part have so many fields.
func plainRows(raw string, fields int) bool {
	lines := strings.FieldsFunc(raw, func(r rune) bool { return r == '\r' })
	whole := slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
		return strings.Count(quotedParts.ReplaceAllString(line, ""), ",") != fields-1
	})
	return len(lines) > 1 && 2*len(whole) > len(lines)
}

// plainEndsOpen reports whether brackets are open at the end of a line, and no string.
func plainEndsOpen(line []byte) bool {
	elements, reason := plainElements(append([]byte("["), line...))
	outside := stringLiterals.ReplaceAllString(string(line), "")
	count := func(bracket string) int { return strings.Count(outside, bracket) }
	return len(elements) == 0 && reason == ReasonCutOff && count(`"`) == 0 && count("{")+count("[") > count("}")+count("]")
}

// plainDrift reports whether all objects have a member that the contract lacks, or
// lack one that it requires.
func plainDrift(records []plainRecord, layout Layout) Reason {
	var objects [][]string
	for _, r := range records {
		if r.names != nil {
			objects = append(objects, r.names)
		}
	}
	if len(objects) == 0 {
		return ""
	}
	all := func(is func(names []string) bool) bool {
		return !slices.ContainsFunc(objects, func(names []string) bool { return !is(names) })
	}
	for _, name := range objects[0] {
		if !slices.Contains(layout.Columns, name) && all(func(names []string) bool { return slices.Contains(names, name) }) {
			return ReasonMembers
		}
	}
	for i, column := range layout.Columns {
		if layout.Required != nil && layout.Required[i] && all(func(names []string) bool { return !slices.Contains(names, column) }) {
			return ReasonMembers
		}
	}
	return ""
}

// plainObject judges what stands where an object should.
func plainObject(raw []byte, number int64, columns []string, limit int) plainRecord {
	record := plainRecord{Line: number}
	if len(raw) > limit {
		record.Fault, record.Raw = FaultSize, string(bytes.TrimRight(raw[:limit], jsonSpace))
		return record
	}
	raw = bytes.TrimRight(raw, jsonSpace)
	switch {
	case bytes.ContainsRune(raw, 0):
		record.Fault = FaultNUL
	case !utf8.Valid(raw):
		record.Fault = FaultEncoding
	case !json.Valid(raw) || raw[0] != '{':
		record.Fault = FaultJSON
	default:
		record.Values, record.names, record.Fault = plainMembers(raw, columns)
	}
	if record.Fault != "" {
		record.Raw, record.Values = string(raw), nil
	}
	return record
}

// plainMembers reads the members of a valid object with the standard library.
func plainMembers(raw []byte, columns []string) ([]plainValue, []string, Fault) {
	values := make([]plainValue, len(columns))
	names := []string{}
	seen := make(map[string]bool)
	var nul, lone, strange bool
	judge := func(literal []byte) string {
		var text string
		if err := json.Unmarshal(bytes.Trim(literal, jsonSpace+",:"), &text); err != nil {
			panic(err)
		}
		nul = nul || bytes.ContainsRune([]byte(text), 0)
		lone = lone || loneSurrogate(literal)
		return text
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	mustToken(d)
	for d.More() {
		from := d.InputOffset()
		mustToken(d)
		name := judge(raw[from:d.InputOffset()])
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			panic(err)
		}
		var v plainValue
		switch value[0] {
		case '"':
			if v.Text = judge(value); v.Text != "" {
				v.Kind = KindString
			}
		case '{', '[':
			v = plainValue{string(value), KindComposite}
		case 't', 'f':
			v = plainValue{string(value), KindBoolean}
		case 'n':
		default:
			v = plainValue{string(value), KindNumber}
		}
		names = append(names, name)
		i := slices.Index(columns, name)
		strange = strange || i < 0 || seen[name]
		seen[name] = true
		if i >= 0 {
			values[i] = v
		}
	}
	switch {
	case nul:
		return nil, names, FaultNUL
	case lone:
		return nil, names, FaultEncoding
	case strange:
		return nil, names, FaultFields
	}
	return values, names, ""
}

func mustToken(d *json.Decoder) {
	if _, err := d.Token(); err != nil {
		panic(err)
	}
}

var escapes = regexp.MustCompile(`(?s)\\(?:u([0-9a-fA-F]{4})|.)|[^\\]`)

// loneSurrogate reports whether a string literal holds half of a surrogate pair.
func loneSurrogate(literal []byte) bool {
	high := false
	for _, m := range escapes.FindAllSubmatch(literal, -1) {
		code, err := strconv.ParseUint(string(m[1]), 16, 16)
		isHigh := err == nil && code >= 0xD800 && code < 0xDC00
		isLow := err == nil && code >= 0xDC00 && code < 0xE000
		if high != isLow {
			return true
		}
		high = isHigh
	}
	return high
}

var plainTokens = regexp.MustCompile(`(?s)[ \t\r\n]+|"(?:[^"\\]|\\.)*"|".*|[{}\[\],:]|[^ \t\r\n"{}\[\],:]+`)

// plainJSON reads a JSON array, and says what makes the file faulty as a whole;
// data starts at its opening bracket.
func plainJSON(data []byte, layout Layout, limit int) ([]plainRecord, Reason) {
	elements, reason := plainElements(data)
	if reason != "" {
		return nil, reason
	}
	var records []plainRecord
	for i, raw := range elements {
		records = append(records, plainObject(raw, int64(i+1), layout.Columns, limit))
	}
	return records, plainDrift(records, layout)
}

// plainElements splits a JSON array by its tokens.
func plainElements(data []byte) (elements [][]byte, _ Reason) {
	var open []string
	last := ""      // the last token: its first byte, or "w" for a word
	start := -1     // of the element
	closed := false // whether the array is
	for _, m := range plainTokens.FindAllIndex(data[1:], -1) {
		from, to := m[0]+1, m[1]+1
		token := string(data[from:to])
		kind := token[:1]
		if bytes.Contains([]byte(jsonSpace), []byte(kind)) {
			continue
		}
		if closed {
			return elements, ReasonBehind
		}
		if start < 0 && kind == "]" && len(elements) == 0 {
			closed = true
			continue
		}
		if start < 0 {
			start, last = from, ""
		}
		if len(open) == 0 && (kind == "," || kind == "]") {
			elements = append(elements, data[start:from])
			start, closed = -1, kind == "]"
			continue
		}
		switch kind {
		case `"`:
			if last == `"` || last == "w" {
				return elements, ReasonTokens
			}
			if len(token) == 1 || !endsString(token) {
				return elements, ReasonCutOff
			}
		case "{", "[":
			open = append(open, kind)
		case "}", "]":
			pair := map[string]string{"}": "{", "]": "["}[kind]
			if len(open) == 0 || open[len(open)-1] != pair {
				return elements, ReasonTokens
			}
			open = open[:len(open)-1]
		case ",", ":":
		default:
			kind = "w"
			if last == `"` {
				return elements, ReasonTokens
			}
		}
		last = kind
	}
	if !closed {
		return elements, ReasonCutOff
	}
	return elements, ""
}

var stringLiterals = regexp.MustCompile(`(?s)"(?:[^"\\]|\\.)*"`)

var wholeString = regexp.MustCompile(`(?s)^"(?:[^"\\]|\\.)*"$`)

func endsString(token string) bool { return wholeString.MatchString(token) }

// copyRecord takes a record out of the reader's buffers.
func copyRecord(r *Record) plainRecord {
	out := plainRecord{Line: r.Line, Fault: r.Fault, Raw: string(r.Raw)}
	for _, v := range r.Values {
		out.Values = append(out.Values, plainValue{string(v.Text), v.Kind})
	}
	return out
}

// readAll reads every record of a reader.
func readAll(r *Reader) ([]plainRecord, error) {
	var records []plainRecord
	for {
		record, err := r.Next()
		if isEnd(err) {
			return records, nil
		}
		if err != nil {
			return records, err
		}
		records = append(records, copyRecord(record))
	}
}
