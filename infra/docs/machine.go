package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"etl-dataloader/internal/etl"
)

// level is a state machine, or the processor of a Map.
type level struct {
	StartAt string           `json:"StartAt"`
	States  map[string]state `json:"States"`
}

// state is a state of the machine, with the fields that the diagram shows.
type state struct {
	Type    string `json:"Type"`
	Comment string `json:"Comment"`
	Next    string `json:"Next"`
	End     bool   `json:"End"`
	Choices []struct {
		Next string `json:"Next"`
	} `json:"Choices"`
	Default       string `json:"Default"`
	ItemProcessor *struct {
		level
		Config struct {
			Mode string `json:"Mode"`
		} `json:"ProcessorConfig"`
	} `json:"ItemProcessor"`
}

func loadMachine(file string) (*level, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the project's own file
	if err != nil {
		return nil, fmt.Errorf("read the state machine: %w", err)
	}
	var m level
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("state machine: %w", err)
	}
	return &m, nil
}

// order returns the names of the states along the line, then any others.
func (l *level) order() []string {
	var names []string
	for name := l.StartAt; name != "" && !slices.Contains(names, name); name = l.States[name].next() {
		if _, known := l.States[name]; !known {
			break
		}
		names = append(names, name)
	}
	var others []string
	for name := range l.States {
		if !slices.Contains(names, name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	return append(names, others...)
}

// next returns the state that follows on the longest way.
func (s state) next() string {
	if len(s.Choices) > 0 {
		return s.Choices[0].Next
	}
	return s.Next
}

// follow returns all states that may follow, "[*]" for the end.
func (s state) follow() []string {
	if s.End || s.Type == "Succeed" {
		return []string{"[*]"}
	}
	if len(s.Choices) == 0 {
		return []string{s.Next}
	}
	var all []string
	for _, c := range s.Choices {
		all = append(all, c.Next)
	}
	return append(all, s.Default)
}

// kind returns the kind of a state.
func (s state) kind() string {
	switch {
	case s.ItemProcessor == nil:
		return s.Type
	case s.ItemProcessor.Config.Mode == "DISTRIBUTED":
		return "Distributed Map"
	default:
		return "Map"
	}
}

// statesPart draws the state machine and lists its states.
func statesPart(s *source) string {
	var out strings.Builder
	line(&out, "```mermaid\nstateDiagram-v2")
	drawLevel(&out, s.machine, "    ")
	line(&out, "```\n")
	t := newTable(&out, "State", "Kind", "What it does", "`processing_step`")
	for _, name := range s.machine.order() {
		st := s.machine.States[name]
		does := st.Comment
		if st.ItemProcessor != nil {
			does += " (" + strings.Join(st.ItemProcessor.order(), " → ") + ")"
		}
		t.row(name, st.kind(), does, steps(name, st))
	}
	return out.String()
}

// steps returns the processing steps of a state; for a Map, those of its processor.
func steps(name string, st state) string {
	names := []string{name}
	if st.ItemProcessor != nil {
		names = st.ItemProcessor.order()
	}
	var shown []string
	for _, n := range names {
		if step := "«" + string(etl.State(n).Step()) + "»"; !slices.Contains(shown, step) {
			shown = append(shown, step)
		}
	}
	return strings.Join(shown, ", ")
}

func drawLevel(out *strings.Builder, l *level, indent string) {
	line(out, "%s[*] --> %s", indent, l.StartAt)
	for _, name := range l.order() {
		st := l.States[name]
		if st.ItemProcessor != nil {
			line(out, "%sstate \"%s · %s\" as %s {", indent, name, st.kind(), name)
			line(out, "%s    direction LR", indent)
			drawLevel(out, &st.ItemProcessor.level, indent+"    ")
			line(out, "%s}", indent)
		}
		for _, next := range st.follow() {
			line(out, "%s%s --> %s", indent, name, next)
		}
	}
}
