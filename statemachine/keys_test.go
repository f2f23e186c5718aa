package statemachine_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// grants are the KMS actions that a function's policies allow on the key of a
// parameter, each with the condition on it.
func grants(t *testing.T, policies *yaml.Node, key string) map[string]*yaml.Node {
	t.Helper()
	granted := map[string]*yaml.Node{}
	for _, s := range statements(policies) {
		if !slices.Contains(scalars(member(s, "Resource")), key+"Arn") {
			continue
		}
		for _, action := range scalars(member(s, "Action")) {
			granted[action] = member(s, "Condition")
		}
	}
	return granted
}

// statements are those of all policies of a function, also those that depend on a
// condition of the template.
func statements(policies *yaml.Node) (all []*yaml.Node) {
	for _, policy := range policies.Content {
		listed := member(policy, "Statement")
		if listed == nil {
			continue
		}
		for _, s := range listed.Content {
			if s.Tag != "!If" {
				all = append(all, s)
				continue
			}
			for _, branch := range s.Content[1:] {
				if branch.Kind == yaml.MappingNode {
					all = append(all, branch)
				}
			}
		}
	}
	return all
}

// functions are the stack's functions by logical id, each with its properties.
func functions(t *testing.T) map[string]*yaml.Node {
	t.Helper()
	all := map[string]*yaml.Node{}
	resources := section(t, "Resources")
	for i := 0; i+1 < len(resources.Content); i += 2 {
		if r := resources.Content[i+1]; member(r, "Type").Value == "AWS::Serverless::Function" {
			all[resources.Content[i].Value] = member(r, "Properties")
		}
	}
	return all
}

// TestKeyGrants: the fields key opens for the functions that read values, the tokens
// key works for Protect and Reveal, both on nothing but their own use; the storage key works only
// behind the services that store.
func TestKeyGrants(t *testing.T) {
	const decrypt, generate = "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext"
	fields := map[string]string{"OpenFunction": generate, "ProtectFunction": decrypt, "ValidateFunction": decrypt, "EnrichFunction": decrypt, "RevealFunction": decrypt}
	tokensFor := []string{"ProtectFunction", "RevealFunction"}
	for name, properties := range functions(t) {
		policies, variables := member(properties, "Policies"), []string{}
		if environment := member(properties, "Environment"); environment != nil {
			variables = scalars(member(environment, "Variables"))
		}
		granted := grants(t, policies, "FieldsKey")
		if got, want := slices.Collect(maps.Keys(granted)), fields[name]; strings.Join(got, " ") != want {
			t.Errorf("%s may %v with the fields key, want %q", name, got, want)
		}
		for action, condition := range granted {
			if condition == nil || member(member(condition, "StringEquals"), "kms:EncryptionContext:system") == nil ||
				member(member(condition, "ForAllValues:StringEquals"), "kms:EncryptionContextKeys") == nil {
				t.Errorf("%s may %s without the encryption context of an import", name, action)
			}
		}
		if got, want := slices.Contains(variables, "FieldsKeyArn"), fields[name] != ""; got != want {
			t.Errorf("%s knows the fields key: %v, want %v", name, got, want)
		}
		tokens := slices.Collect(maps.Keys(grants(t, policies, "TokensKey")))
		if want := map[bool]string{true: "kms:GenerateMac"}[slices.Contains(tokensFor, name)]; strings.Join(tokens, " ") != want {
			t.Errorf("%s may %v with the tokens key, want %q", name, tokens, want)
		}
		if got := slices.Contains(variables, "TokensKeyArn"); got != slices.Contains(tokensFor, name) {
			t.Errorf("%s knows the tokens key: %v", name, got)
		}
		for action, condition := range grants(t, policies, "StorageKey") {
			if condition == nil || member(member(condition, "StringEquals"), "kms:ViaService") == nil {
				t.Errorf("%s may %s with the storage key by itself", name, action)
			}
		}
	}
}

// TestFieldsKeyPolicy: the key's own policy refuses, whatever a role may do, a use
// without the encryption context, and a data key in clear at its making.
func TestFieldsKeyPolicy(t *testing.T) {
	denied := map[string]bool{} // action: only on a condition
	for _, s := range section(t, "Resources", "FieldsKey", "Properties", "KeyPolicy", "Statement").Content {
		if member(s, "Effect").Value == "Deny" {
			for _, action := range scalars(member(s, "Action")) {
				denied[action] = member(s, "Condition") != nil
			}
		}
	}
	for action, conditional := range map[string]bool{
		"kms:Encrypt": false, "kms:GenerateDataKey": false, "kms:ReEncrypt*": false, "kms:Decrypt": true, "kms:GenerateDataKeyWithoutPlaintext": true,
	} {
		if got, ok := denied[action]; !ok || got != conditional {
			t.Errorf("%s is denied: %v, on a condition: %v", action, ok, got)
		}
	}
}
