package event

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/google/uuid"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/jsonscan"
	"etl-dataloader/internal/staged"
)

// An event never changes. What a source answers after the import was published is
// another event, which completes the first. To fold it: merge its data into those of the
// first, remove [ErrorMember], and take its enrichment.

// completed ends the type of an event that completes another.
const completed = "enriched"

// CompletionType is the type of the events that complete those of a resource, such as
// "client.enriched".
func CompletionType(r *contract.Resource) string {
	subject, _, _ := strings.Cut(r.EventType, ".")
	return subject + "." + completed
}

// CompletionID is the id of the event that completes another (UUIDv5, RFC 9562). An event
// can be completed only once, since the ids of its completions are the same.
func CompletionID(first uuid.UUID) uuid.UUID { return uuid.NewSHA1(first, []byte(completed)) }

// errNoData is the error of data that are not those of an event. It shows none.
var errNoData = errors.New("event: the data are no object of the contract's fields")

// CompletionData returns the data of an event that completes one with the data first: the
// members of the record's key as they are there, then the enriched values. So the sealed
// members open like those of the first event.
func CompletionData(r *contract.Resource, first, values []byte) ([]byte, error) {
	key := map[string]bool{}
	for _, f := range r.KeyFields() {
		key[f.Target] = true
	}
	out, found := []byte{'{'}, 0
	var parser jsonscan.Parser
	whole := parser.Object(first, func(name []byte, v jsonscan.Value) {
		if !key[string(name)] {
			return
		}
		if found++; found > 1 {
			out = append(out, ',')
		}
		out = jsonscan.AppendName(out, string(name))
		if v.Kind == jsonscan.String {
			out = jsonscan.AppendString(out, v.Text)
			return
		}
		out = append(out, v.Text...)
	})
	if !whole || found != len(key) {
		return nil, errNoData
	}
	if members := bytes.TrimSuffix(bytes.TrimPrefix(values, []byte("{")), []byte("}")); len(members) > 0 {
		out = append(append(out, ','), members...)
	}
	return append(out, '}'), nil
}

// Row returns the cells of a record's fields as [staged.Fields] places them in a staged
// row, from the data of its event. All other cells are nil.
func Row(r *contract.Resource, data []byte) ([][]byte, error) {
	row := make([][]byte, len(r.StagingStream()))
	cells, known := staged.Fields(r), true
	var parser jsonscan.Parser
	whole := parser.Object(data, func(name []byte, v jsonscan.Value) {
		for i, f := range r.Fields {
			if f.Target != string(name) || v.Kind == jsonscan.Null {
				continue
			}
			text := bytes.Clone(v.Text)
			if f.Sensitive() {
				var err error
				if text, err = base64.StdEncoding.DecodeString(string(v.Text)); err != nil {
					known = false
				}
			}
			row[cells[i].Value] = text
		}
	})
	if !whole || !known {
		return nil, errNoData
	}
	return row, nil
}
