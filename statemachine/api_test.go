package statemachine_test

import (
	"strings"
	"testing"
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
		if got := member(section(t, "Resources", alias, "Properties"), "Name").Value; got != "api" {
			t.Errorf("%s invokes the alias %s", name, got)
		}
		permission := section(t, "Resources", alias+"Permission", "Properties")
		path := strings.ReplaceAll(member(properties, "RouteKey").Value, " ", "")
		if member(permission, "FunctionName").Value != alias || member(permission, "Principal").Value != "apigateway.amazonaws.com" ||
			!strings.HasSuffix(member(permission, "SourceArn").Value, ":${ControlApi}/$default/"+path) {
			t.Errorf("%s: its permission is wider or narrower than the route", name)
		}
	}
	if routes == 0 {
		t.Error("the API has no route")
	}
}
