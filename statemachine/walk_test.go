package statemachine_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
)

// walk passes an input through the machine as Step Functions would, with each
// Task done by perform and the items of each Distributed Map given by items. It
// knows the JSONPath that this machine uses: $, $$ and members.
type walk struct {
	t       *testing.T
	perform func(name string, s *state, input []byte) any
	items   func(name string) []any
	see     func(name, what string, payload []byte) // every payload that is subject to the quota
}

// run returns the output of a machine.
func (w *walk) run(m *machine, input, execution any) any {
	for name, next := m.StartAt, ""; name != ""; name = next {
		s := m.States[name]
		next = s.Next
		w.see(name, "input", text(w.t, input))
		switch s.Type {
		case "Choice":
			next = w.choose(s, input)
			continue
		case "Wait":
			if n, ok := w.path(s.SecondsPath, input).(json.Number); !ok || n == "0" {
				w.t.Errorf("%s: %s is no time", name, s.SecondsPath)
			}
			continue
		case "Succeed":
			return w.path(s.OutputPath, input)
		}
		var result any
		if s.Type == "Map" {
			result = w.mapState(name, s, input, execution)
		} else {
			task := text(w.t, w.fill(s.Parameters, input, execution))
			w.see(name, "task input", task)
			result = value(w.t, text(w.t, w.perform(name, s, task)))
			w.see(name, "task output", text(w.t, result))
		}
		input = w.place(s, input, result)
		w.see(name, "output", text(w.t, input))
	}
	return input
}

// choose returns the state that a Choice leads to.
func (w *walk) choose(s *state, input any) string {
	for _, c := range s.Choices {
		switch v := w.path(c.Variable, input).(type) {
		case bool:
			if v == *c.BooleanEquals {
				return c.Next
			}
		case json.Number:
			n, err := v.Int64()
			if err != nil {
				w.t.Fatalf("%s: %v", c.Variable, err)
			}
			if n > int64(*c.NumericGreaterThan) {
				return c.Next
			}
		default:
			w.t.Fatalf("%s is neither a number nor a boolean", c.Variable)
		}
	}
	return s.Default
}

// mapState runs the processor over its items.
func (w *walk) mapState(name string, s *state, input, execution any) any {
	var items []any
	if s.distributed() {
		w.fill(s.ItemReader.Parameters, input, execution)
		w.fill(s.ResultWriter.Parameters, input, execution)
		items = w.items(name)
	} else {
		items = w.path(s.ItemsPath, input).([]any)
	}
	if s.MaxConcurrencyPath != "" {
		if n, ok := w.path(s.MaxConcurrencyPath, input).(json.Number); !ok || n == "0" {
			w.t.Errorf("%s: %s is no concurrency", name, s.MaxConcurrencyPath)
		}
	} else if s.MaxConcurrency < 1 {
		w.t.Errorf("%s has no bound of its concurrency", name)
	}
	results := []any{}
	for _, item := range items {
		context := map[string]any{"Map": map[string]any{"Item": map[string]any{"Value": item}}}
		for k, v := range execution.(map[string]any) {
			context[k] = v
		}
		result := w.run(s.ItemProcessor, w.fill(s.ItemSelector, input, context), execution)
		if !s.distributed() {
			results = append(results, result)
		}
	}
	return results
}

// fill evaluates a payload template: the members that end with ".$" are paths.
func (w *walk) fill(template map[string]any, input, context any) any {
	filled := map[string]any{}
	for key, v := range template {
		name, isPath := strings.CutSuffix(key, ".$")
		switch nested, isObject := v.(map[string]any); {
		case !isPath && isObject:
			filled[name] = w.fill(nested, input, context)
		case !isPath:
			filled[name] = v
		case strings.HasPrefix(v.(string), "$$"):
			filled[name] = w.path(v.(string)[1:], context)
		default:
			filled[name] = w.path(v.(string), input)
		}
	}
	return filled
}

// path evaluates a path; one that matches nothing fails the execution.
func (w *walk) path(path string, in any) any {
	w.t.Helper()
	steps := strings.Split(path, ".")
	for _, step := range steps[1:] {
		object, ok := in.(map[string]any)
		if !ok || object[step] == nil {
			w.t.Fatalf("path %s leads nowhere at %q", path, step)
		}
		in = object[step]
	}
	return in
}

// place stores a result at the place of ResultPath.
func (w *walk) place(s *state, input, result any) any {
	switch where := string(s.ResultPath); {
	case where == "null":
		return input
	case where == `"$"`:
		return result
	case strings.HasPrefix(where, `"$.`) && strings.Count(where, ".") == 1:
		output := map[string]any{}
		for k, v := range input.(map[string]any) {
			output[k] = v
		}
		output[strings.Trim(where, `$."`)] = result
		return output
	default:
		w.t.Fatalf("ResultPath %s is not known to this test; say where the result goes", where)
		return nil
	}
}

func text(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// value decodes JSON with numbers kept as they are.
func value(t *testing.T, b []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// strict decodes JSON into v: a field that v lacks is an error, as is a field of
// v that the JSON lacks, unless it may be left out.
func strict(b []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return err
	}
	if err := decoder.Decode(&struct{}{}); err != io.EOF { //nolint:errorlint // the decoder returns the bare value
		return fmt.Errorf("more than one value")
	}
	return nil
}
