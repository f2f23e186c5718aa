package contract

import (
	"fmt"
	"slices"
)

// link checks and completes what connects resources.
func link(p *Package) error {
	if err := uniqueNames(p); err != nil {
		return err
	}
	for _, r := range p.Resources {
		for _, rel := range r.Relations {
			if err := checkRelation(p, r, rel); err != nil {
				return err
			}
		}
		for _, rule := range r.ChildRules {
			if err := checkChildRule(p, r, rule); err != nil {
				return err
			}
		}
	}
	if err := checkOrder(p); err != nil {
		return err
	}
	if err := checkSources(p); err != nil {
		return err
	}
	for _, r := range p.Resources {
		r.staged = stagedKeys(p, r)
	}
	return nil
}

func uniqueNames(p *Package) error {
	owners := map[string]string{} // prefix of file names to resource
	names, events := map[string]bool{}, map[string]bool{}
	for _, r := range p.Resources {
		if names[r.Name] {
			return &DescriptorError{Resource: r.Name, Property: "name", Problem: "used twice"}
		}
		names[r.Name] = true
		if events[r.EventType] {
			return &DescriptorError{Resource: r.Name, Property: "etl:event", Problem: fmt.Sprintf("%q is another resource's", r.EventType)}
		}
		events[r.EventType] = true
		for _, prefix := range []string{r.FileType, r.Alias} {
			if owner, taken := owners[prefix]; taken && owner != r.Name {
				return &DescriptorError{Resource: r.Name, Property: "etl:fileType", Problem: fmt.Sprintf("%q is also one of %s", prefix, owner)}
			}
			owners[prefix] = r.Name
		}
	}
	return nil
}

func checkRelation(p *Package, r *Resource, rel Relation) error {
	fail := func(problem string, args ...any) error {
		return &DescriptorError{Resource: r.Name, Field: rel.Fields[0], Property: "schema.foreignKeys", Problem: fmt.Sprintf(problem, args...)}
	}
	parent := p.Resource(rel.Resource)
	if parent == nil {
		return fail("resource %q is unknown", rel.Resource)
	}
	if !slices.Equal(rel.ParentFields, parent.Key) {
		return fail("must refer to the primary key of %s, in its order", parent.Name)
	}
	if len(rel.Fields) != len(rel.ParentFields) {
		return fail("has %d fields for the %d of the key of %s", len(rel.Fields), len(rel.ParentFields), parent.Name)
	}
	for i, name := range rel.Fields {
		f, k := r.Field(name), parent.Field(rel.ParentFields[i])
		if f.Type != k.Type || f.Sensitivity != k.Sensitivity || f.Domain != k.Domain {
			return fail("type, etl:sensitive and etl:domain of %s must be those of %s.%s", name, parent.Name, k.Name)
		}
	}
	return nil
}

func checkChildRule(p *Package, r *Resource, rule ChildRule) error {
	parent := p.Resource(r.Relations[rule.Relation].Resource)
	f := parent.Field(rule.ParentField)
	if f == nil || f.Type != TypeInteger || f.Sensitive() {
		return &DescriptorError{
			Resource: r.Name, Field: rule.Field, Property: "etl:relationRules.parentField",
			Problem: fmt.Sprintf("%q is no public integer field of %s", rule.ParentField, parent.Name),
		}
	}
	return nil
}

// checkOrder refuses resources that are each other's parents, for which there would
// be no order of validation.
func checkOrder(p *Package) error {
	const visiting, done = 1, 2
	state := map[string]int{}
	var visit func(r *Resource) error
	visit = func(r *Resource) error {
		state[r.Name] = visiting
		for _, rel := range r.Relations {
			if rel.Resource == r.Name {
				continue
			}
			if state[rel.Resource] == visiting {
				return &DescriptorError{
					Resource: r.Name, Field: rel.Fields[0], Property: "schema.foreignKeys",
					Problem: fmt.Sprintf("%s depends on %s in turn", rel.Resource, r.Name),
				}
			}
			if state[rel.Resource] == done {
				continue
			}
			if err := visit(p.Resource(rel.Resource)); err != nil {
				return err
			}
		}
		state[r.Name] = done
		return nil
	}
	for _, r := range p.Resources {
		if state[r.Name] == done {
			continue
		}
		if err := visit(r); err != nil {
			return err
		}
	}
	return nil
}

// stagedKeys collects the fields for [Resource.StagedKeys].
func stagedKeys(p *Package, r *Resource) []*Field {
	used := map[string]bool{}
	mark := func(names []string) {
		for _, name := range names {
			used[name] = true
		}
	}
	mark(r.Key)
	for _, key := range r.Unique {
		mark(key)
	}
	for _, rel := range r.Relations {
		mark(rel.Fields)
	}
	for _, rule := range r.ChildRules {
		used[rule.Field] = true
	}
	for _, child := range p.Resources {
		for _, rule := range child.ChildRules {
			if child.Relations[rule.Relation].Resource == r.Name {
				used[rule.ParentField] = true
			}
		}
	}
	var staged []*Field
	for _, f := range r.Fields {
		if used[f.Name] && f.Type == TypeInteger && !f.Sensitive() {
			staged = append(staged, f)
		}
	}
	return staged
}
