package reveal

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"etl-dataloader/internal/contract"
)

// Request asks for values: of records of a table, of an event, or of a rejected line.
type Request struct {
	Table  string     `json:"table,omitempty"`
	Where  *Condition `json:"where,omitempty"` // of the table
	Event  string     `json:"event,omitempty"` // event_id
	Raw    *Line      `json:"raw,omitempty"`
	Fields []string   `json:"fields,omitempty"` // of the table, or of the event: empty for all that are sensitive
	Reason string     `json:"reason"`
}

// Condition is a field and the value that it has.
type Condition struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// Line is a rejected line of a file.
type Line struct {
	ImportID string `json:"import_id"`
	File     string `json:"file"` // its name, without a folder
	Line     int64  `json:"line"`
}

// Answer has the values of the records found.
type Answer struct {
	RequestID string   `json:"request_id"` // in etl.audit
	Records   []Record `json:"records"`
}

// Record is a record with its values.
type Record struct {
	ImportID string  `json:"import_id"`
	Resource string  `json:"resource"`
	Line     int64   `json:"line"`
	Values   []Value `json:"values,omitempty"`
	Raw      string  `json:"raw,omitempty"`        // the text of a malformed record
	RawBytes []byte  `json:"raw_base64,omitempty"` // the same if it is no UTF-8
}

// Value is the value of a field as it was in the file; nil if it had none.
type Value struct {
	Field string  `json:"field"`
	Text  *string `json:"text"`
}

// shortestEcho is the length from which a value that stands in the reason is noticed.
const shortestEcho = 4

// longestReason is the most characters of a reason.
const longestReason = 500

// checkReason refuses a reason that says nothing or too much, or repeats the value asked for: the
// reason is kept in clear.
func checkReason(reason, value string) error {
	reason = strings.TrimSpace(reason)
	if reason == "" || !utf8.ValidString(reason) {
		return refused(RefusedReason)
	}
	if utf8.RuneCountInString(reason) > longestReason {
		return refused(RefusedLong())
	}
	if value = strings.TrimSpace(value); len(value) >= shortestEcho && strings.Contains(reason, value) {
		return refused(RefusedEcho)
	}
	return nil
}

// source checks a request and returns where its records come from.
func (r *Revealer) source(request Request) (source, error) {
	value := ""
	if request.Where != nil {
		value = request.Where.Value
	}
	if err := checkReason(request.Reason, value); err != nil {
		return nil, err
	}
	kinds := 0
	for _, asked := range []bool{request.Table != "", request.Event != "", request.Raw != nil} {
		if asked {
			kinds++
		}
	}
	switch {
	case kinds != 1 || (request.Table == "") != (request.Where == nil):
		return nil, refused(RefusedShape)
	case request.Table != "":
		return r.tableSource(request)
	case request.Event != "":
		return r.eventSource(request)
	default:
		if len(request.Fields) > 0 {
			return nil, refused(RefusedShape)
		}
		return &rawSource{r: r, line: *request.Raw}, nil
	}
}

// named returns the field of that name; nil if there is none.
func named(fields []*contract.Field, name string) *contract.Field {
	if i := slices.IndexFunc(fields, func(f *contract.Field) bool { return f.Name == name }); i >= 0 {
		return fields[i]
	}
	return nil
}

// sensitive returns the sensitive fields of those names, of a table or its events; all of
// them for no names. The other fields stand in clear in the table of that name.
func sensitive(table, inClear string, fields []*contract.Field, names []string) ([]*contract.Field, error) {
	var found []*contract.Field
	for _, f := range fields {
		if f.Sensitive() && (len(names) == 0 || slices.Contains(names, f.Name)) {
			found = append(found, f)
		}
	}
	for _, name := range names {
		switch f := named(fields, name); {
		case f == nil:
			return nil, refused(RefusedField(name, table))
		case !f.Sensitive():
			return nil, refused(RefusedPublic(name, inClear))
		}
	}
	if len(found) == 0 {
		return nil, refused(RefusedNothing(table))
	}
	return found, nil
}

// resource returns a resource of the contract.
func (r *Revealer) resource(name string) (*contract.Resource, error) {
	if res := r.config.Contract.Resource(name); res != nil {
		return res, nil
	}
	return nil, refused(RefusedTable(name))
}

// canonical returns the canonical form of a value that a field is to have.
func canonical(f *contract.Field, value string) ([]byte, error) {
	text, ok := f.AppendCanonical(nil, []byte(strings.TrimSpace(value)))
	if !ok {
		return nil, refused(RefusedValue(f.Name)) // never the value
	}
	return text, nil
}

// columnOf returns a column of a list.
func columnOf(columns []contract.Column, name string) (contract.Column, error) {
	for _, c := range columns {
		if c.Name == name {
			return c, nil
		}
	}
	return contract.Column{}, fmt.Errorf("reveal: there is no column %s", name)
}
