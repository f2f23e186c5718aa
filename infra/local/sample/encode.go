package main

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// look is how a file is written.
type look struct {
	extension string // csv, json or jsonl
	bom       bool   // CSV: a byte order mark first
	crlf      bool   // CSV: lines end with CR LF
	reversed  bool   // CSV: the columns in the opposite order
	blanks    bool   // CSV: a blank line now and then, which counts for nothing
}

// lookOf returns how the file of a type is written.
func lookOf(format, name string) look {
	if format == formatMixed {
		switch name {
		case "product_data", "return_data", "store_data":
			return look{extension: "json"}
		case "category_data", "supplier_data", "payment_data":
			return look{extension: "jsonl"}
		case "stock_data":
			return look{extension: "csv", crlf: true, blanks: true}
		case "employee_data":
			return look{extension: "csv", bom: true, reversed: true}
		}
	}
	return look{extension: "csv"}
}

// order returns the columns' positions in the order in which they are written.
func (l look) order(columns int) []int {
	order := make([]int, columns)
	for i := range order {
		order[i] = i
		if l.reversed {
			order[i] = columns - 1 - i
		}
	}
	return order
}

// appendCSV appends a record without its line end. A field is quoted when it
// must be; always is for those that need not.
func appendCSV(b []byte, r *row, order []int, always bool) []byte {
	for n, i := range order {
		if n > 0 {
			b = append(b, ',')
		}
		field := r.fields[i]
		if (!always || len(field) == 0) && !bytes.ContainsAny(field, ",\"\r\n") {
			b = append(b, field...)
			continue
		}
		b = append(b, '"')
		for _, c := range field {
			if c == '"' {
				b = append(b, '"')
			}
			b = append(b, c)
		}
		b = append(b, '"')
	}
	return b
}

// appendJSON appends a record as an object on one line. Missing values are null,
// absent or "" in turn, which mean the same.
func appendJSON(b []byte, r *row, columns []column, turn int64) []byte {
	b = append(b, '{')
	for i := range columns {
		field := r.fields[i]
		if len(field) == 0 && turn%3 == 0 {
			continue
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, columns[i].name...)
		b = append(b, '"', ':')
		switch {
		case len(field) == 0 && turn%3 == 1:
			b = append(b, "null"...)
		case r.literal[i] || isLiteral(columns[i].kind, field):
			b = append(b, field...)
		default:
			b = appendString(b, field)
		}
	}
	return append(b, '}')
}

// isLiteral reports whether a field is written without quotes in JSON.
func isLiteral(k kind, field []byte) bool {
	switch k {
	case integer, number:
		return isJSONNumber(field)
	case boolean:
		return string(field) == "true" || string(field) == "false"
	default:
		return false
	}
}

// isJSONNumber reports whether a text is a number of RFC 8259: no plus sign, no
// leading zero, digits on both sides of the point.
func isJSONNumber(text []byte) bool {
	rest := bytes.TrimPrefix(text, []byte("-"))
	if len(rest) == 0 || rest[0] < '0' || rest[0] > '9' || rest[len(rest)-1] < '0' || rest[len(rest)-1] > '9' {
		return false
	}
	if rest[0] == '0' && len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9' {
		return false
	}
	if bytes.ContainsAny(rest, "xX_pPnN") || bytes.Contains(rest, []byte(".e")) {
		return false
	}
	_, err := strconv.ParseFloat(string(rest), 64)
	return err == nil
}

// appendString appends a JSON string. Bytes that are no UTF-8 stay as they are:
// they are planted faults.
func appendString(b, text []byte) []byte {
	b = append(b, '"')
	for len(text) > 0 {
		c := text[0]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		case c >= utf8.RuneSelf:
			_, size := utf8.DecodeRune(text)
			b = append(b, text[:size]...)
			text = text[size:]
			continue
		default:
			b = append(b, c)
		}
		text = text[1:]
	}
	return append(b, '"')
}
