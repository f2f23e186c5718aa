"""A signed request reaches its function through an HTTP API with the signer's identity.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import asyncio
import os
import unittest
from unittest import mock

from harness import StepFunctionsTest  # noqa: F401  installs the extension
from ministack.services import apigateway, lambda_svc
from ministack.services.cloudformation import provisioners

FUNCTION = "arn:aws:lambda:eu-west-1:000000000000:function:rerun"
SIGNED = {"authorization": "AWS4-HMAC-SHA256 Credential=test/20240101/eu-west-1/execute-api/aws4_request, "
                           "SignedHeaders=host, Signature=0", "content-type": "application/json"}


def make(kind, **properties):
    """Makes a resource of a stack; returns its id and attributes."""
    return provisioners._RESOURCE_HANDLERS[f"AWS::{kind}"]["create"]("Id", properties, "stack")


class GatewayTest(unittest.TestCase):
    def setUp(self):
        self.events = []
        lambda_svc._functions["rerun"] = {
            "config": {"FunctionName": "rerun", "FunctionArn": FUNCTION, "Runtime": "provided.al2023"},
            "versions": {}, "aliases": {}}
        self.addCleanup(lambda_svc._functions.pop, "rerun", None)
        make("Lambda::Alias", FunctionName="rerun", FunctionVersion="$LATEST", Name="api")
        with mock.patch.dict(os.environ, GATEWAY_PORT="1234"):
            self.api, self.attributes = make("ApiGatewayV2::Api", Name="control", ProtocolType="HTTP")
        make("ApiGatewayV2::Stage", ApiId=self.api, StageName="$default", AutoDeploy=True)

    def route(self, function):
        """A route of the API to a function, for signed requests."""
        integration, _ = make("ApiGatewayV2::Integration", ApiId=self.api, IntegrationUri=function)
        make("ApiGatewayV2::Route", ApiId=self.api, RouteKey="POST /rerun", AuthorizationType="AWS_IAM",
             Target=f"integrations/{integration}")

    def ask(self, headers):
        """Sends a request; returns its status. What the function is given is in self.events."""
        def run(function, event):
            self.events.append((function["config"]["FunctionArn"], event))
            return {"body": {"statusCode": 200, "body": "{}"}}
        with mock.patch.object(lambda_svc, "_execute_function_with_config_scope", run):
            return asyncio.run(apigateway.handle_execute(self.api, "$default", "/rerun", "POST", headers, b'{"x": 1}', {}))[0]

    def test_the_function_is_invoked_by_the_alias_and_told_who_signed(self):
        self.route(FUNCTION + ":api")
        self.assertEqual(self.ask(SIGNED), 200)
        (arn, event), = self.events
        self.assertEqual(arn, FUNCTION + ":api")
        self.assertEqual(event["body"], '{"x": 1}')
        iam = event["requestContext"]["authorizer"]["iam"]
        self.assertEqual((iam["accessKey"], iam["userArn"]), ("test", "arn:aws:iam::000000000000:root"))
        self.assertEqual(lambda_svc._functions["rerun"]["config"]["FunctionArn"], FUNCTION)

    def test_without_an_alias_the_function_is_invoked_by_its_own_arn(self):
        self.route(FUNCTION)
        self.assertEqual(self.ask(SIGNED), 200)
        self.assertEqual(self.events[0][0], FUNCTION)

    def test_a_request_without_a_signature_is_refused(self):
        self.route(FUNCTION + ":api")
        self.assertEqual(self.ask({"content-type": "application/json"}), 403)
        self.assertEqual(self.events, [])

    def test_the_address_of_an_api_needs_no_resolver(self):
        self.assertEqual(self.attributes["ApiEndpoint"], f"http://127.0.0.1:1234/_aws/execute-api/{self.api}")


if __name__ == "__main__":
    unittest.main()
