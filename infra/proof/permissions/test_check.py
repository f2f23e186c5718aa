"""Tests of the check: each thing that it exists to find is found."""

import json
import pathlib
import tempfile
import unittest
from unittest import mock

import check
import grants

REGION, ACCOUNT = "eu-west-1", "000000000000"


class Services:
    """CloudFormation and IAM with one stack: a bucket and a role."""

    def __init__(self, *statements, attached=(), people=()):
        self._policy, self._attached = {"Version": "2012-10-17", "Statement": list(statements)}, attached
        self._people = list(people)

    def get_paginator(self, _):
        return self

    def paginate(self, **_):
        return [{"StackResourceSummaries": [
            {"PhysicalResourceId": "etl-work-1", "LogicalResourceId": "WorkBucket", "ResourceType": "AWS::S3::Bucket"},
            {"PhysicalResourceId": "etl-role-1", "LogicalResourceId": "ScanRole", "ResourceType": "AWS::IAM::Role"},
            *([{"PhysicalResourceId": f"arn:aws:iam::{ACCOUNT}:policy/etl-deposit-1", "LogicalResourceId": "DepositPolicy",
                "ResourceType": "AWS::IAM::ManagedPolicy"}] if self._people else [])]}]

    def describe_stacks(self, **_):
        return {"Stacks": [{"StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/etl/1", "Parameters": []}]}

    def list_role_policies(self, **_):
        return {"PolicyNames": ["only"]}

    def get_role_policy(self, **_):
        return {"PolicyDocument": self._policy}

    def get_policy(self, **_):
        return {"Policy": {"DefaultVersionId": "v1"}}

    def get_policy_version(self, **_):
        return {"PolicyVersion": {"Document": {"Statement": self._people}}}

    def list_entities_for_policy(self, **_):
        return {"PolicyUsers": [{"UserName": "anne"}]}

    def list_attached_role_policies(self, **_):
        return {"AttachedPolicies": [{"PolicyName": name} for name in self._attached]}


def allow(action, resource, **condition):
    """An Allow statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **({"Condition": condition} if condition else {})}


def request(action, resource, allowed=True, **context):
    """A request of the role."""
    return grants.Request("etl-role-1", action, resource, context, allowed)


OBJECT = "arn:aws:s3:::etl-work-1/a"
WORK = "arn:aws:s3:::etl-work-1/*"


class CheckTest(unittest.TestCase):
    def findings(self, statements, requests, reasons=(), forbidden=(), **more):
        """What is found for a role of these statements."""
        services = Services(*statements, **more)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        here = pathlib.Path(folder.name)
        (here / "forbidden.json").write_text(json.dumps(list(forbidden)))
        (here / "reasons.json").write_text(json.dumps(list(reasons)))
        with mock.patch.object(check, "HERE", here):
            return check.Findings(grants.Stack("etl", services, services), list(requests), check.Reasons(here / "reasons.json"))

    def found(self, *texts, **given):
        """Asserts that the trouble is this, one text of each."""
        trouble = self.findings(**given).trouble
        self.assertEqual(len(trouble), len(texts), trouble)
        for text, line in zip(texts, trouble):
            self.assertIn(text, line)

    PUT = allow("s3:PutObject", WORK)

    def test_granted_and_used(self):
        findings = self.findings([self.PUT], [request("s3:PutObject", OBJECT)])
        self.assertEqual(findings.trouble, [])
        self.assertIn("| 1 | `s3:PutObject` | `WorkBucket/*` |  | yes |", findings.document())
        self.assertIn("| ScanRole | 1 | `s3:PutObject` on `WorkBucket/*` |", findings.document())

    def test_denied(self):
        self.found("denied: ScanRole: s3:GetObject on WorkBucket/a", statements=[self.PUT],
                   requests=[request("s3:PutObject", OBJECT), request("s3:GetObject", OBJECT, allowed=False)])

    def test_denied_to_a_service(self):
        event = grants.Request("events.amazonaws.com", "lambda:InvokeFunction", OBJECT, {}, False)
        self.found("denied: events.amazonaws.com", statements=[self.PUT], requests=[request("s3:PutObject", OBJECT), event])

    def test_denied_to_somebody_else(self):
        other = grants.Request("somebody", "s3:GetObject", OBJECT, {}, False)
        self.found(statements=[self.PUT], requests=[request("s3:PutObject", OBJECT), other])

    def test_never_used(self):
        statement = allow(["s3:PutObject", "s3:GetObject"], WORK)
        self.found("never used, and no reason: ScanRole: s3:GetObject on WorkBucket/*", statements=[statement],
                   requests=[request("s3:PutObject", OBJECT)])

    def test_reason(self):
        reason = {"roles": ["Scan*"], "actions": ["s3:GetObject"], "resources": ["WorkBucket/*"], "reason": "a second run"}
        given = {"statements": [allow(["s3:PutObject", "s3:GetObject"], WORK)], "requests": [request("s3:PutObject", OBJECT)]}
        self.found(reasons=[reason], **given)
        self.assertIn("a second run", self.findings(reasons=[reason], **given).document())
        self.found("never used", "not granted", reasons=[{**reason, "roles": ["Other*"]}], **given)

    def test_removed_without_effect(self):
        self.found("nothing would be denied without it", "nothing would be denied without it",
                   statements=[self.PUT, allow("s3:Put*", WORK)], requests=[request("s3:PutObject", OBJECT)])

    def test_condition(self):
        key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
        statement = allow("kms:Decrypt", key, StringEquals={"kms:ViaService": ["s3.eu-west-1.amazonaws.com", "sns.eu-west-1.amazonaws.com"]})
        self.found("sns.${Region}", statements=[statement],
                   requests=[request("kms:Decrypt", key, **{"kms:viaservice": "s3.eu-west-1.amazonaws.com"})])

    def test_policy_of_aws(self):
        self.found("never used, and no reason: ScanRole: policy:Basic on *", "nothing would be denied", statements=[self.PUT], attached=["Basic"],
                   requests=[request("s3:PutObject", OBJECT)])

    def test_people(self):
        put = request("s3:PutObject", OBJECT)
        given = {"statements": [self.PUT], "people": [allow("s3:GetObject", WORK)]}
        self.found("never used, and no reason: DepositPolicy: s3:GetObject", "nothing would be denied", requests=[put], **given)
        self.found(requests=[put, grants.Request("anne", "s3:GetObject", OBJECT, {}, True),
                             grants.Request("anne", "s3:DeleteObject", OBJECT, {}, False)], **given)

    def test_kept_apart(self):
        given = {"statements": [self.PUT], "requests": [request("s3:PutObject", OBJECT)]}
        rule = {"action": "s3:PutObject", "resource": "{WorkBucket}/report.html", "only": [], "why": "evidence"}
        self.found("ScanRole may s3:PutObject", forbidden=[rule], **given)
        self.found(forbidden=[{**rule, "only": ["ScanRole"]}], **given)
        self.found("ScanRole may not s3:GetObject", forbidden=[{**rule, "action": "s3:GetObject", "only": ["ScanRole"]}], **given)


if __name__ == "__main__":
    unittest.main()
