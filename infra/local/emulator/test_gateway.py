"""A signed request reaches its function through an HTTP API with the signer's identity.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import asyncio
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request
from unittest import mock

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
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


class PermissionTest(unittest.TestCase):
    """An emulator of its own that checks every request (AUTH=true)."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            cls.address = f"http://127.0.0.1:{free.getsockname()[1]}"
        environment = {**os.environ, "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": cls.address.rpartition(":")[2],
                       "AUTH": "true", "AWS_ENDPOINT_URL": cls.address, "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0"}
        emulator = subprocess.Popen([sys.executable, str(pathlib.Path(__file__).with_name("main.py"))], cwd=folder.name,
                                    env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(emulator.wait, 60)
        cls.addClassCleanup(emulator.send_signal, signal.SIGTERM)
        cls.wait_for(emulator)
        cls.api = cls.client("apigatewayv2").create_api(Name="control", ProtocolType="HTTP")["ApiId"]
        gateway = cls.client("apigatewayv2")
        gateway.create_stage(ApiId=cls.api, StageName="$default", AutoDeploy=True)
        target = gateway.create_integration(ApiId=cls.api, IntegrationType="AWS_PROXY", IntegrationUri=FUNCTION,
                                            PayloadFormatVersion="2.0")["IntegrationId"]
        for path in ("rerun", "reveal"):
            gateway.create_route(ApiId=cls.api, RouteKey=f"POST /{path}", AuthorizationType="AWS_IAM",
                                 Target=f"integrations/{target}")

    @classmethod
    def wait_for(cls, emulator):
        """Returns once the emulator answers; fails if it has ended."""
        while emulator.poll() is None:
            try:
                urllib.request.urlopen(cls.address + "/_ministack/health", timeout=60).close()
                return
            except urllib.error.URLError:
                continue
        raise AssertionError("the emulator ended")

    @classmethod
    def client(cls, service):
        return boto3.client(service, endpoint_url=cls.address, region_name="eu-west-1",
                            aws_access_key_id="test", aws_secret_access_key="test")

    def user(self, name, *actions):
        """A user with a key, who may do some actions on POST /rerun; returns id and secret of the key."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        if actions:
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": {
                "Effect": "Allow", "Action": actions, "Resource": f"arn:aws:execute-api:eu-west-1:*:{self.api}/$default/POST/rerun"}}))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    def ask(self, path, key, secret):
        """The status of a signed request. There is no function: one that is let through is answered 502."""
        request = AWSRequest("POST", f"{self.address}/_aws/execute-api/{self.api}/{path}", data=b"{}",
                             headers={"content-type": "application/json"})
        SigV4Auth(Credentials(key, secret), "execute-api", "eu-west-1").add_auth(request)
        sent = urllib.request.Request(request.url, data=request.body, headers=dict(request.headers), method="POST")
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(sent, timeout=60)
        refused.exception.close()
        return refused.exception.code

    def test_who_may_and_signs_is_let_through(self):
        self.assertEqual(self.ask("rerun", *self.user("anne", "execute-api:Invoke")), 502)

    def test_a_wrong_signature_is_refused(self):
        key, _ = self.user("bob", "execute-api:Invoke")
        self.assertEqual(self.ask("rerun", key, "wrong"), 403)

    def test_without_the_permission_on_the_route_a_signature_is_refused(self):
        self.assertEqual(self.ask("rerun", *self.user("carl")), 403)
        self.assertEqual(self.ask("reveal", *self.user("dora", "execute-api:Invoke")), 403)


if __name__ == "__main__":
    unittest.main()
