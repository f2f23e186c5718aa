"""Tests of what the extension checks and records about permissions."""

import json
import os
import pathlib
import tempfile
from unittest import mock

from ministack.core import iam_evaluator as iam
from ministack.services import cloudformation, lambda_svc
from ministack.services import iam as roles

import permissions
from harness import StepFunctionsTest, s3, sfn, task

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/machine"
FUNCTION = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:work"
MACHINE = f"arn:aws:states:*:{ACCOUNT}:stateMachine:import"
CHILDREN = f"arn:aws:states:*:{ACCOUNT}:execution:import/*"


def allow(action, resource, **condition):
    """An Allow statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **({"Condition": condition} if condition else {})}


class PermissionsTest(StepFunctionsTest):
    """A test case with permissions enforced and their record in a file."""

    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name, "permissions.jsonl")
        self.replace(permissions, "RECORD", permissions.Record(self.file))
        settings = mock.patch.dict(os.environ, AUTH="true")
        settings.start()
        self.addCleanup(settings.stop)

    def role(self, *statements, name="machine", service="states.amazonaws.com", trust=None):
        """Gives a role these statements."""
        roles._roles[name] = {
            "RoleName": name, "InlinePolicies": {"only": json.dumps({"Statement": list(statements)})},
            "AssumeRolePolicyDocument": json.dumps({"Statement": [
                {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", **(trust or {})}]})}
        self.addCleanup(roles._roles.pop, name, None)

    def decided(self):
        """What was recorded: {(action, allowed)}."""
        if not self.file.exists():
            return set()
        return {(d["action"], d["allowed"]) for d in map(json.loads, self.file.read_text().splitlines())}

    def run_to(self, status, states, value=None):
        """Runs a machine of these states until its status; returns DescribeExecution."""
        return self.wait(self.start(self.machine(states), value), status)


class OfTheStateMachine(PermissionsTest):
    """What Step Functions does under the role of a machine."""

    def test_function(self):
        self.role(allow("lambda:InvokeFunction", FUNCTION))
        self.run_to("SUCCEEDED", {"A": task(FUNCTION, End=True)})
        self.assertEqual(self.decided(), {("lambda:InvokeFunction", True)})

    def test_function_of_another(self):
        self.role(allow("lambda:InvokeFunction", FUNCTION + "-other"))
        ended = self.run_to("FAILED", {"A": task(FUNCTION, End=True)})
        self.assertEqual(ended["error"], "Lambda.AWSLambdaException")
        self.assertIn("is not authorized to perform: lambda:InvokeFunction", ended["cause"])
        self.assertEqual(self.functions.calls, [])
        self.assertEqual(self.decided(), {("lambda:InvokeFunction", False)})

    def test_function_named_as_resource(self):
        self.role()
        ended = self.run_to("FAILED", {"A": {"Type": "Task", "Resource": FUNCTION, "End": True}})
        self.assertEqual(ended["error"], "Lambda.AWSLambdaException")

    MAP = {"Type": "Map", "End": True, "Label": "Each", "ItemProcessor": {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "B", "States": {"B": task(FUNCTION, End=True)}}}
    NEEDED = (allow("lambda:InvokeFunction", FUNCTION), allow("states:StartExecution", MACHINE),
              allow("states:DescribeExecution", CHILDREN))

    def test_map_run(self):
        self.role(*self.NEEDED)
        self.run_to("SUCCEEDED", {"A": self.MAP}, [1, 2])
        self.assertEqual(self.decided(), {("lambda:InvokeFunction", True), ("states:StartExecution", True),
                                          ("states:DescribeExecution", True)})

    def test_map_run_without_each_right(self):
        for missing in self.NEEDED:
            with self.subTest(missing["Action"]):
                sfn.reset()
                self.role(*(s for s in self.NEEDED if s is not missing))
                self.run_to("FAILED", {"A": self.MAP}, [1, 2])

    def test_redrive_of_children(self):
        self.role(*self.NEEDED, allow("states:StopExecution", CHILDREN))
        self.functions.fail(FUNCTION)
        arn = self.start(self.machine({"A": self.MAP}), [1])
        self.wait(arn, "FAILED")
        self.redrive(arn)
        self.wait(arn, "FAILED")
        self.assertIn(("states:RedriveExecution", False), self.decided())
        self.role(*self.NEEDED, allow("states:RedriveExecution", f"{CHILDREN[:-1]}Each:*"))
        self.redrive(arn)
        self.wait(arn, "SUCCEEDED")

    def test_objects_of_a_map(self):
        s3._create_bucket("work", b"", {})
        s3._put_object("work", "items.json", b"[1]", {})
        reading = {**self.MAP, "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket": "work", "Key": "items.json"}}}
        writing = {**self.MAP, "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "work", "Prefix": "results"}}}
        for state, action, key, error in (
                (reading, "s3:GetObject", "items.json", "States.ItemReaderFailed"),
                (writing, "s3:PutObject", "results/*", "States.ResultWriterFailed")):
            with self.subTest(action):
                self.role(*self.NEEDED)
                ended = self.run_to("FAILED", {"A": state}, [1])
                self.assertEqual(ended["error"], error)
                sfn.reset()
                self.role(*self.NEEDED, allow(action, f"arn:aws:s3:::work/{key}"))
                self.run_to("SUCCEEDED", {"A": state}, [1])
                sfn.reset()


class OfTargets(PermissionsTest):
    """Whether EventBridge and Scheduler may invoke a function."""

    def setUp(self):
        super().setUp()
        self.delivered = []

    def deliver(self, target, source):
        """Delivers an event; returns how many arrived so far."""
        permissions.invoke_target(lambda *args: self.delivered.append(args), target, {}, source)
        return len(self.delivered)

    def test_rule(self):
        rule = {"Arn": f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/arrivals"}
        statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "lambda:InvokeFunction",
                     "Resource": FUNCTION, "Condition": {"ArnLike": {"AWS:SourceArn": rule["Arn"]}}}
        lambda_svc._functions["work"] = {"policy": {"Statement": [statement]}, "config": {}}
        self.addCleanup(lambda_svc._functions.pop, "work", None)
        self.assertEqual(self.deliver({"Arn": FUNCTION}, rule), 1)
        self.assertEqual(self.deliver({"Arn": FUNCTION}, {"Arn": rule["Arn"] + "-other"}), 1)
        lambda_svc._functions["work"]["policy"] = {"Statement": []}
        self.assertEqual(self.deliver({"Arn": FUNCTION}, rule), 1)

    def test_schedule(self):
        schedule = {"Arn": f"arn:aws:scheduler:eu-west-1:{ACCOUNT}:schedule/redrives/one"}
        target = {"Arn": FUNCTION, "RoleArn": ROLE}

        def trust(group):
            return {"Condition": {"StringEquals": {
                "aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"arn:aws:scheduler:eu-west-1:{ACCOUNT}:schedule-group/{group}"}}}
        invoke = allow("lambda:InvokeFunction", FUNCTION)
        self.role(invoke, service="scheduler.amazonaws.com", trust=trust("redrives"))
        self.assertEqual(self.deliver(target, schedule), 1)
        self.role(invoke, service="scheduler.amazonaws.com", trust=trust("others"))
        self.assertEqual(self.deliver(target, schedule), 1)
        self.role(invoke, trust=trust("redrives"))  # trusts Step Functions
        self.assertEqual(self.deliver(target, schedule), 1)
        self.role(service="scheduler.amazonaws.com", trust=trust("redrives"))
        self.assertEqual(self.deliver(target, schedule), 1)

    def test_other_targets_are_delivered(self):
        self.assertEqual(self.deliver({"Arn": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:queue"}, {"Arn": "rule"}), 1)


class Implied(PermissionsTest):
    """Rights that a request uses implicitly, and condition keys."""

    KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
    OBJECT = "arn:aws:s3:::work/a"

    def setUp(self):
        super().setUp()
        bucket = {"ResourceType": "AWS::S3::Bucket", "PhysicalResourceId": "work", "Properties": {
            "BucketEncryption": {"KMSMasterKeyID": self.KEY}}}
        cloudformation._stacks["one"] = {"_resources": {"Work": bucket}}
        self.addCleanup(cloudformation._stacks.pop, "one", None)
        owner = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                                "Action": "kms:*", "Resource": "*"}]}
        self.replace(iam, "_resource_policy", lambda service, _: (owner, ACCOUNT) if service == "kms" else None)

    def may(self, *statements, action="s3:PutObject"):
        """Whether a role of these statements may make the request."""
        self.role(*statements)
        try:
            permissions.require(ROLE, "session", action, self.OBJECT)
        except permissions.Denied:
            return False
        return True

    def test_key_behind_a_bucket(self):
        put = allow("s3:PutObject", self.OBJECT)
        self.assertFalse(self.may(put))
        self.assertFalse(self.may(put, allow("kms:Decrypt", self.KEY)))
        self.assertTrue(self.may(put, allow(["kms:GenerateDataKey", "kms:Decrypt"], self.KEY)))
        get = allow("s3:GetObject", self.OBJECT)
        self.assertFalse(self.may(get, allow("kms:GenerateDataKey", self.KEY), action="s3:GetObject"))
        self.assertTrue(self.may(get, allow("kms:Decrypt", self.KEY), action="s3:GetObject"))

    def test_via_service(self):
        put = allow("s3:PutObject", self.OBJECT)
        for service, allowed in (("s3", True), ("dynamodb", False)):
            keys = allow(["kms:GenerateDataKey", "kms:Decrypt"], self.KEY,
                         StringLike={"kms:ViaService": f"{service}.*.amazonaws.com"})
            self.assertEqual(self.may(put, keys), allowed, service)

    def test_encryption_context(self):
        body = {"EncryptionContext": {"system": "ETL", "import_id": "IMPORT_1"}}
        self.assertEqual(permissions.context_of("kms", body), {
            "kms:encryptioncontextkeys": ["import_id", "system"],
            "kms:encryptioncontext:system": "ETL", "kms:encryptioncontext:import_id": "IMPORT_1"})

    def test_body_of_the_request(self):
        for text, body in ((b'{"a": 1}', {"a": 1}), (b"[1]", {}), (b"\xff", {}), (b"", {})):
            token = iam._signed_request.set(iam.SignedRequest("key", "POST", "/", {}, {}, body=text))
            self.assertEqual(permissions.body_of(), body)
            iam._signed_request.reset(token)

    def test_resources(self):
        schedule = f"arn:aws:scheduler:eu-west-1:{ACCOUNT}:schedule/default/one"
        self.assertEqual(permissions.resource_of("scheduler:CreateSchedule", schedule, {"GroupName": "redrives"}),
                         schedule.replace("default", "redrives"))
        self.assertEqual(permissions.resource_of("states:ListExecutions", "*", {"mapRunArn": "run"}), "run")
        self.assertEqual(permissions.resource_of("states:ListExecutions", MACHINE, {}), MACHINE)

    def test_role_that_is_passed(self):
        body = {"Target": {"RoleArn": ROLE}}
        pass_role = allow("iam:PassRole", ROLE, StringEquals={"iam:PassedToService": "scheduler.amazonaws.com"})
        for statements, refused in ((), True), ((pass_role,), False):
            self.role(*statements, name="caller")
            caller = iam.PrincipalInfo(arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/caller/x", type="AssumedRole",
                                       account=ACCOUNT, policies=iam._gather_role_policies("caller", ACCOUNT))
            self.assertEqual(permissions.passed(caller, "scheduler:CreateSchedule", body) is not None, refused)
        self.assertIsNone(permissions.passed(caller, "scheduler:GetSchedule", body))

    def test_decisions_are_recorded_once(self):
        for key in ("IMPORT_20241008_060000_001/x", "IMPORT_20241009_060000_001/x"):
            permissions.RECORD.add("role", "s3:GetObject", f"arn:aws:s3:::work/{key}", {}, True)
        permissions.RECORD.add("role", "s3:GetObject", "arn:aws:s3:::work/IMPORT_20241009_060000_001/y", {}, True)
        permissions.RECORD.add("role", "s3:GetObject", "arn:aws:s3:::work/IMPORT_20241009_060000_001/y", {}, False)
        self.assertEqual(len(self.file.read_text().splitlines()), 3)
