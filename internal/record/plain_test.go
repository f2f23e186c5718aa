package record

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"
)

// This file is a second reader, written from the rules alone: it holds the whole
// file in memory, looks for one thing at a time, and does not care for speed.

// plainRecord is a record with its own copy of everything.
type plainRecord struct {
	Line   int64
	Fault  Fault
	Raw    string // of a malformed record
	Values []plainValue
}

type plainValue struct {
	Text string
	Kind Kind
}

// plainCSV reads the records of data from offset p on, which is on this line.
// columns[i] is the position of the file's field i in the contract.
func plainCSV(data []byte, p int, line int64, columns []int, limit int) []plainRecord {
	var records []plainRecord
	for p < len(data) {
		if n := lineEndAt(data, p); n > 0 {
			p, line = p+n, line+1
			continue
		}
		fields, end, bad := plainRow(data, p, limit)
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

// plainRow reads one row and returns where its line end starts.
func plainRow(data []byte, p, limit int) (fields []string, end int, bad bool) {
	for {
		field := ""
		if p < len(data) && data[p] == '"' {
			closing := closingQuote(data, p)
			if closing < 0 || closing-p > limit {
				end = p
				for end < len(data) && lineEndAt(data, end) == 0 {
					end++
				}
				return nil, end, true
			}
			field = string(bytes.ReplaceAll(data[p+1:closing], []byte(`""`), []byte(`"`)))
			stop := plainStop(data, closing+1)
			bad = bad || stop > closing+1
			p = stop
		} else {
			stop := plainStop(data, p)
			field = string(data[p:stop])
			bad = bad || bytes.Contains(data[p:stop], []byte(`"`))
			p = stop
		}
		fields = append(fields, field)
		if p == len(data) || data[p] != ',' {
			return fields, p, bad
		}
		p++
	}
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

// plainJSONL reads JSON Lines.
func plainJSONL(data []byte, columns []string, limit int) []plainRecord {
	var records []plainRecord
	for i, line := range bytes.Split(data, []byte("\n")) {
		line = bytes.TrimLeft(line, jsonSpace)
		if len(line) == 0 {
			continue
		}
		whole := i < bytes.Count(data, []byte("\n"))
		if whole {
			line = bytes.TrimSuffix(line, []byte("\r"))
		}
		records = append(records, plainObject(line, int64(i+1), columns, limit))
	}
	return records
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
		record.Values, record.Fault = plainMembers(raw, columns)
	}
	if record.Fault != "" {
		record.Raw, record.Values = string(raw), nil
	}
	return record
}

// plainMembers reads the members of a valid object with the standard library.
func plainMembers(raw []byte, columns []string) ([]plainValue, Fault) {
	values := make([]plainValue, len(columns))
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
		i := slices.Index(columns, name)
		strange = strange || i < 0 || seen[name]
		seen[name] = true
		if i >= 0 {
			values[i] = v
		}
	}
	switch {
	case nul:
		return nil, FaultNUL
	case lone:
		return nil, FaultEncoding
	case strange:
		return nil, FaultFields
	}
	return values, ""
}

func mustToken(d *json.Decoder) {
	if _, err := d.Token(); err != nil {
		panic(err)
	}
}

var escapes = regexp.MustCompile(`(?s)\\(?:u([0-9a-fA-F]{4})|.)|[^\\]`)

// loneSurrogate tells whether a string literal holds half of a surrogate pair.
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

// plainJSON reads a JSON array; data starts at its opening bracket.
func plainJSON(data []byte, columns []string, limit int) []plainRecord {
	var records []plainRecord
	rest := func(from int) []plainRecord {
		raw := data[from:]
		return append(records, plainRecord{
			Line: int64(len(records) + 1), Fault: FaultTruncated, Raw: string(raw[:min(limit, len(raw))]),
		})
	}
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
			return rest(from)
		}
		if start < 0 && kind == "]" && len(records) == 0 {
			closed = true
			continue
		}
		if start < 0 {
			start, last = from, ""
		}
		if len(open) == 0 && (kind == "," || kind == "]") {
			records = append(records, plainObject(data[start:from], int64(len(records)+1), columns, limit))
			start, closed = -1, kind == "]"
			continue
		}
		switch kind {
		case `"`:
			if last == `"` || last == "w" || len(token) == 1 || !endsString(token) {
				return rest(start)
			}
		case "{", "[":
			open = append(open, kind)
		case "}", "]":
			pair := map[string]string{"}": "{", "]": "["}[kind]
			if len(open) == 0 || open[len(open)-1] != pair {
				return rest(start)
			}
			open = open[:len(open)-1]
		case ",", ":":
		default:
			kind = "w"
			if last == `"` {
				return rest(start)
			}
		}
		last = kind
	}
	if closed {
		return records
	}
	if start < 0 {
		return rest(len(data))
	}
	if len(open) == 0 && (last == "}" || last == "]") {
		records = append(records, plainObject(data[start:], int64(len(records)+1), columns, limit))
		return rest(len(data))
	}
	return rest(start)
}

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
