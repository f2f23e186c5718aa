package statemachine_test

import (
	"slices"
	"strings"
	"testing"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/gateway"
)

// TestRoutesAreSigned: every route of the API wants a signature, and reaches a function
// by the alias that API Gateway alone may invoke.
func TestRoutesAreSigned(t *testing.T) {
	resources, routes := section(t, "Resources"), 0
	for i := 0; i+1 < len(resources.Content); i += 2 {
		name, resource := resources.Content[i].Value, resources.Content[i+1]
		if member(resource, "Type").Value != "AWS::ApiGatewayV2::Route" {
			continue
		}
		routes++
		properties := member(resource, "Properties")
		if got := member(properties, "AuthorizationType"); got == nil || got.Value != "AWS_IAM" {
			t.Errorf("%s takes requests that nobody signed", name)
		}
		target := strings.Trim(strings.TrimPrefix(member(properties, "Target").Value, "integrations/"), "${}")
		alias := member(section(t, "Resources", target, "Properties"), "IntegrationUri").Value
		if got := member(section(t, "Resources", alias), "Type").Value; got != "AWS::Lambda::Alias" {
			t.Errorf("%s invokes %s, a %s", name, alias, got)
		}
		if got := member(section(t, "Resources", alias, "Properties"), "Name").Value; got != gateway.Alias {
			t.Errorf("%s invokes the alias %s", name, got)
		}
		if path := strings.ReplaceAll(member(properties, "RouteKey").Value, " ", ""); !slices.Equal(mayInvoke(t, alias, path), []string{"apigateway.amazonaws.com"}) {
			t.Errorf("%s: its permission is wider or narrower than the route", name)
		}
	}
	if routes == 0 {
		t.Error("the API has no route")
	}
}

// mayInvoke lists who may invoke an alias for a path of the API; others that may do
// more than that are listed too.
func mayInvoke(t *testing.T, alias, path string) (principals []string) {
	t.Helper()
	resources := section(t, "Resources")
	for i := 0; i+1 < len(resources.Content); i += 2 {
		permission := member(resources.Content[i+1], "Properties")
		if member(resources.Content[i+1], "Type").Value != "AWS::Lambda::Permission" || member(permission, "FunctionName").Value != alias {
			continue
		}
		source := member(permission, "SourceArn").Value
		if strings.HasSuffix(source, ":${ControlApi}/$default/"+path) || !strings.Contains(source, "/$default/POST/") || strings.Contains(source, "*") {
			principals = append(principals, member(permission, "Principal").Value)
		}
	}
	return principals
}

// TestTrail: only EventBridge invokes the alias whose events name people, and only with
// redrives of this stack's imports.
func TestTrail(t *testing.T) {
	rule := section(t, "Resources", "ConsoleRedrives", "Properties")
	pattern := scalars(member(rule, "EventPattern"))
	for _, want := range []string{"aws.states", "AWS API Call via CloudTrail", "states.amazonaws.com", "RedriveExecution"} {
		if !slices.Contains(pattern, want) {
			t.Errorf("the rule does not want %s", want)
		}
	}
	if !slices.ContainsFunc(pattern, func(s string) bool { return strings.HasSuffix(s, ":execution:${AWS::StackName}-import:") }) {
		t.Error("the rule is not of this stack")
	}
	if !slices.Contains(scalars(member(rule, "Targets")), "TrackTrail") || member(section(t, "Resources", "TrackTrail", "Properties"), "Name").Value != control.TrailAlias {
		t.Error("the rule does not invoke the alias that is trusted")
	}
	permission := section(t, "Resources", "TrackTrailPermission", "Properties")
	if member(permission, "FunctionName").Value != "TrackTrail" || member(permission, "Principal").Value != "events.amazonaws.com" ||
		member(permission, "SourceArn").Value != "ConsoleRedrives.Arn" {
		t.Error("others may invoke the alias")
	}
}
