package statemachine_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"etl-dataloader/internal/phase"
)

// section is a part of the stack's template, found by the names on its way.
func section(t *testing.T, path ...string) *yaml.Node {
	t.Helper()
	text, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	at := document.Content[0]
	for _, name := range path {
		next := member(at, name)
		if next == nil {
			t.Fatalf("template.yaml has no %s", strings.Join(path, "."))
		}
		at = next
	}
	return at
}

func member(n *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

// scalars are all texts below a node.
func scalars(n *yaml.Node) (texts []string) {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	for _, c := range n.Content {
		texts = append(texts, scalars(c)...)
	}
	return texts
}

// machines are the resources of the template by the files of their definitions.
func machines() map[string]string {
	return map[string]string{definition: "ImportStateMachine", replayDefinition: "EnrichStateMachine"}
}

// TestSubstitutions: the template fills in every placeholder of the definitions
// and no other, each function's by its own ARN. A replay invokes the function that asks
// by the alias that tells its input.
func TestSubstitutions(t *testing.T) {
	for definition, resource := range machines() {
		text, err := os.ReadFile(definition)
		if err != nil {
			t.Fatal(err)
		}
		var wanted []string
		for _, m := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(wanted, m[1]) {
				wanted = append(wanted, m[1])
			}
		}
		given := section(t, "Resources", resource, "Properties", "DefinitionSubstitutions")
		var names []string
		for i := 0; i+1 < len(given.Content); i += 2 {
			name, value := given.Content[i].Value, given.Content[i+1].Value
			names = append(names, name)
			if function, ok := strings.CutSuffix(name, "Arn"); ok && value != function+".Arn" && (name != "ReplayFunctionArn" || value != "EnrichReplay") {
				t.Errorf("%s is filled in by %s", name, value)
			}
		}
		slices.Sort(wanted)
		slices.Sort(names)
		if !slices.Equal(wanted, names) {
			t.Errorf("%s has the placeholders %v, the template fills in %v", definition, wanted, names)
		}
	}
	alias := section(t, "Resources", "EnrichReplay", "Properties")
	if member(alias, "FunctionName").Value != "EnrichFunction" || member(alias, "Name").Value != phase.ReplayAlias {
		t.Error("a replay does not invoke the function that asks by its alias")
	}
}

// statement is a statement of the machine's own policy, by its Sid.
func statement(t *testing.T, sid string) *yaml.Node {
	t.Helper()
	for _, policy := range section(t, "Resources", "ImportStateMachine", "Properties", "Policies").Content {
		statements := member(policy, "Statement")
		if statements == nil {
			continue
		}
		for _, s := range statements.Content {
			if id := member(s, "Sid"); id != nil && id.Value == sid {
				return s
			}
		}
	}
	t.Fatalf("the machine's policy has no statement %s", sid)
	return nil
}

// TestRedrivePolicy: without this permission, on each Label, a redrive restarts the
// machine but leaves its Map Runs failed.
func TestRedrivePolicy(t *testing.T) {
	s := statement(t, "MapRunRedrive")
	if got := scalars(member(s, "Action")); !slices.Contains(got, "states:RedriveExecution") {
		t.Errorf("the statement allows %v", got)
	}
	var wanted []string
	load(t).each(func(_ string, st *state) {
		if st.Label != "" {
			wanted = append(wanted, st.Label)
		}
	})
	var named []string
	pattern := regexp.MustCompile(`:execution:\$\{AWS::StackName\}-import/(\w+):\*$`)
	for _, resource := range scalars(member(s, "Resource")) {
		if m := pattern.FindStringSubmatch(resource); m != nil {
			named = append(named, m[1])
		} else {
			t.Errorf("the statement allows %s", resource)
		}
	}
	slices.Sort(wanted)
	slices.Sort(named)
	if !slices.Equal(wanted, named) {
		t.Errorf("the policy names the labels %v, the definition has %v", named, wanted)
	}
}

// TestInvokePolicies: a machine may call each function it names, and no other.
func TestInvokePolicies(t *testing.T) {
	for definition, resource := range machines() {
		var allowed []string
		for _, policy := range section(t, "Resources", resource, "Properties", "Policies").Content {
			if invoke := member(policy, "LambdaInvokePolicy"); invoke != nil {
				allowed = append(allowed, strings.ToLower(strings.TrimSuffix(member(invoke, "FunctionName").Value, "Function")))
			}
		}
		var wanted []string
		loadFile(t, definition).each(func(_ string, s *state) {
			if s.Type == "Task" && !slices.Contains(wanted, function(s)) {
				wanted = append(wanted, function(s))
			}
		})
		slices.Sort(allowed)
		slices.Sort(wanted)
		if !slices.Equal(allowed, wanted) {
			t.Errorf("%s may call %v, it calls %v", resource, allowed, wanted)
		}
	}
}

// TestAsking: only the function of Enrich knows where the enrichment sources are, and what
// authenticates there.
func TestAsking(t *testing.T) {
	resources := section(t, "Resources")
	for _, parameter := range []string{"EnrichmentClientsUrl", "EnrichmentClientsSecretArn", "EnrichmentProductsUrl", "EnrichmentProductsSecretArn", "EnrichmentStoresSecretArn"} {
		if slices.Contains(scalars(section(t, "Globals")), parameter) {
			t.Errorf("every function is told %s", parameter)
		}
		var told []string
		for i := 0; i+1 < len(resources.Content); i += 2 {
			if slices.Contains(scalars(resources.Content[i+1]), parameter) {
				told = append(told, resources.Content[i].Value)
			}
		}
		if !slices.Equal(told, []string{"EnrichFunction"}) {
			t.Errorf("%v are told %s", told, parameter)
		}
	}
	for _, secret := range []string{"EnrichmentClientsSecret", "EnrichmentProductsSecret", "EnrichmentStoresSecret"} {
		may := grants(t, member(functions(t)["EnrichFunction"], "Policies"), secret)
		if _, reads := may["secretsmanager:GetSecretValue"]; !reads || len(may) != 1 {
			t.Errorf("EnrichFunction may %v with %s, want to read it alone", may, secret)
		}
	}
}
