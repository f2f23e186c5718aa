"""What the tests of this folder share: the extended emulator in this process.

Functions are Python callables instead of Lambda, chosen by name, so that a
test decides when a state fails. No socket is opened.
"""

import asyncio
import json
import logging
import os
import threading
import time
import unittest

os.environ.setdefault("SFN_WAIT_SCALE", "0")
os.environ.setdefault("MINISTACK_REGION", "eu-west-1")

from ministack.services import eventbridge, s3  # noqa: E402  the environment comes first
from ministack.services import stepfunctions as sfn  # noqa: E402

import executions  # noqa: E402
import extension  # noqa: E402

extension.install()
logging.disable(logging.WARNING)

TASK = "arn:aws:states:::lambda:invoke"


def task(function, **more):
    """A Task state that calls a function with the state's input and returns its payload."""
    return {"Type": "Task", "Resource": TASK, "OutputPath": "$.Payload",
            "Parameters": {"FunctionName": function, "Payload.$": "$"}, **more}


class Functions:
    """The functions of a test: each call is counted; fail makes the next calls raise."""

    def __init__(self):
        self.calls, self._failing, self._bodies, self._lock = [], {}, {}, threading.Lock()

    def on(self, name, body):
        """Lets name(event) be body; the default returns its event."""
        self._bodies[name] = body

    def fail(self, name, error="Boom", times=1, only=None):
        """Lets the next calls of name fail; only restricts it to events that satisfy it."""
        self._failing[name] = [error, times, only or (lambda event: True)]

    def count(self, name):
        """How often name was called."""
        return sum(1 for called, _ in self.calls if called == name)

    def __call__(self, name, event):
        with self._lock:
            self.calls.append((name, event))
            failing = self._failing.get(name)
            if failing and failing[1] > 0 and failing[2](event):
                failing[1] -= 1
                raise sfn._ExecutionError(failing[0], json.dumps({"errorType": failing[0]}))
        return self._bodies.get(name, lambda e: e)(event)


class StepFunctionsTest(unittest.TestCase):
    """A test case with an empty emulator, fake functions and the events it published."""

    def setUp(self):
        sfn.reset()
        self.functions, self.published = Functions(), []
        self.replace(sfn, "_call_lambda", self.functions)
        self.replace(sfn, "_resolve_lambda_function_ref", lambda value, optimized: value)
        self.replace(eventbridge, "_put_events", lambda request, **_: self.published.append(
            json.loads(request["Entries"][0]["Detail"])))

    def replace(self, module, name, value):
        """Sets a member of a module for the length of the test."""
        self.addCleanup(setattr, module, name, getattr(module, name))
        setattr(module, name, value)

    def call(self, action, **request):
        """One API call: the answer's body, with "status" for its HTTP status."""
        status, _, body = asyncio.run(sfn.handle_request(
            "POST", "/", {"x-amz-target": f"AWSStepFunctions.{action}"}, json.dumps(request).encode(), {}))
        return {**json.loads(body or b"{}"), "http": status}

    def machine(self, states, start="A", name="import", **more):
        """Creates a state machine; returns its ARN."""
        definition = json.dumps({"StartAt": start, "States": states, **more})
        answer = self.call("CreateStateMachine", name=name, definition=definition,
                           roleArn="arn:aws:iam::000000000000:role/machine")
        return answer["stateMachineArn"]

    def start(self, machine, value=None, name="IMPORT_1"):
        """Starts an execution; returns its ARN."""
        answer = self.call("StartExecution", stateMachineArn=machine, name=name, input=json.dumps(value or {}))
        return answer["executionArn"]

    def redrive(self, arn, **more):
        """RedriveExecution."""
        return self.call("RedriveExecution", executionArn=arn, **more)

    def wait(self, arn, *statuses):
        """Waits until the execution has one of the statuses and its threads ended; returns DescribeExecution."""
        return self.until(lambda: (lambda d: d if d["status"] in statuses and not self.runs(arn) else None)(
            self.call("DescribeExecution", executionArn=arn)), f"execution in {statuses}")

    @staticmethod
    def runs(arn):
        """Whether a thread still works on the execution."""
        return executions.REGISTRY.scope(arn) is not None

    def until(self, condition, what):
        """Polls until condition() is true and returns its value; fails after ten seconds."""
        deadline, pause = time.monotonic() + 10, threading.Event()
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            pause.wait(0.002)
        return self.fail(f"not within ten seconds: {what}")

    def history(self, arn):
        """The types of the execution's events, with the state's name where there is one."""
        out = []
        for event in self.call("GetExecutionHistory", executionArn=arn, maxResults=1000)["events"]:
            details = event.get("stateEnteredEventDetails") or event.get("stateExitedEventDetails") or {}
            out.append(f"{event['type']} {details['name']}" if details else event["type"])
        return out


__all__ = ["StepFunctionsTest", "s3", "sfn", "task"]
