package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parameterGroup is a group of the template's parameters, as the console shows it.
type parameterGroup struct {
	label      string
	parameters []parameter
}

type parameter struct {
	name string
	Info struct {
		Description   string   `yaml:"Description"`
		Default       *string  `yaml:"Default"`
		AllowedValues []string `yaml:"AllowedValues"`
		MinValue      string   `yaml:"MinValue"`
		MaxValue      string   `yaml:"MaxValue"`
	}
}

// loadParameters reads the parameters of a template in the order of its groups.
func loadParameters(file string) ([]parameterGroup, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the project's own file
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	var template struct {
		Metadata map[string]struct {
			Groups []struct {
				Label struct {
					Default string `yaml:"default"`
				} `yaml:"Label"`
				Parameters []string `yaml:"Parameters"`
			} `yaml:"ParameterGroups"`
		} `yaml:"Metadata"`
		Parameters map[string]yaml.Node `yaml:"Parameters"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	var groups []parameterGroup
	var grouped []string
	add := func(label string, names []string) error {
		g := parameterGroup{label: label}
		for _, name := range names {
			p := parameter{name: name}
			node, known := template.Parameters[name]
			if !known {
				return fmt.Errorf("template: group %q names %s, which is no parameter", label, name)
			}
			if err := node.Decode(&p.Info); err != nil {
				return fmt.Errorf("template: parameter %s: %w", name, err)
			}
			g.parameters = append(g.parameters, p)
		}
		groups, grouped = append(groups, g), append(grouped, names...)
		return nil
	}
	for _, g := range template.Metadata["AWS::CloudFormation::Interface"].Groups {
		if err := add(g.Label.Default, g.Parameters); err != nil {
			return nil, err
		}
	}
	var others []string
	for name := range template.Parameters {
		if !slices.Contains(grouped, name) {
			others = append(others, name)
		}
	}
	if slices.Sort(others); len(others) > 0 {
		if err := add("Others", others); err != nil {
			return nil, err
		}
	}
	return groups, nil
}

// parametersPart is the table of the template's parameters.
func parametersPart(s *source) string {
	var out strings.Builder
	t := newTable(&out, "Parameter", "Default", "Meaning", "Allowed")
	for _, g := range s.parameters {
		t.row("**" + g.label + "**")
		for _, p := range g.parameters {
			t.row(code(p.name), p.fallback(), cell(p.Info.Description), p.allowed())
		}
	}
	return out.String()
}

func (p parameter) fallback() string {
	switch {
	case p.Info.Default == nil:
		return "mandatory"
	case *p.Info.Default == "":
		return "empty"
	default:
		return code(*p.Info.Default)
	}
}

func (p parameter) allowed() string {
	switch {
	case len(p.Info.AllowedValues) > 0:
		return codes(p.Info.AllowedValues)
	case p.Info.MinValue != "" && p.Info.MaxValue != "":
		return p.Info.MinValue + " to " + p.Info.MaxValue
	case p.Info.MinValue != "":
		return "at least " + p.Info.MinValue
	default:
		return ""
	}
}
