"""Redrives of plain lines of states, against the histories that the documentation describes."""

import json
import threading
import unittest

from harness import StepFunctionsTest, sfn, task
from scope import Scope

THREE = {"A": task("a", Next="B"), "B": task("b", Next="C"), "C": task("c", End=True)}


class RedriveTest(StepFunctionsTest):
    def test_continues_at_the_failed_task(self):
        self.functions.on("a", lambda e: {"from": "a"})
        self.functions.fail("b")
        arn = self.start(self.machine(THREE), {"x": 1})
        before = self.wait(arn, "FAILED")
        self.assertEqual((before["error"], before["redriveStatus"], before["redriveCount"]), ("Boom", "REDRIVABLE", 0))
        answer = self.redrive(arn)
        self.assertEqual(answer["http"], 200)
        after = self.wait(arn, "SUCCEEDED")
        self.assertEqual(json.loads(after["output"]), {"from": "a"})
        self.assertEqual(after["redriveCount"], 1)
        self.assertEqual(after["redriveDate"], answer["redriveDate"])
        self.assertEqual(after["redriveStatus"], "NOT_REDRIVABLE")
        self.assertEqual(after["redriveStatusReason"], "Execution is SUCCEEDED and cannot be redriven")
        self.assertNotIn("error", after)
        self.assertEqual([self.functions.count(f) for f in "abc"], [1, 2, 1])
        self.assertEqual(self.history(arn), [
            "ExecutionStarted",
            "TaskStateEntered A", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited A",
            "TaskStateEntered B", "TaskScheduled", "TaskStarted", "TaskFailed", "ExecutionFailed",
            "ExecutionRedriven", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited B",
            "TaskStateEntered C", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited C",
            "ExecutionSucceeded"])

    def test_function_named_directly(self):
        arn = "arn:aws:lambda:eu-west-1:000000000000:function:a"
        self.functions.fail(arn)
        self.replace(sfn, "_extract_lambda_ref", lambda resource: resource)
        execution = self.start(self.machine({"A": {"Type": "Task", "Resource": arn, "End": True}}))
        self.wait(execution, "FAILED")
        self.redrive(execution)
        self.wait(execution, "SUCCEEDED")
        self.assertEqual(self.history(execution), [
            "ExecutionStarted", "TaskStateEntered A", "LambdaFunctionScheduled", "LambdaFunctionStarted",
            "LambdaFunctionFailed", "ExecutionFailed", "ExecutionRedriven", "LambdaFunctionScheduled",
            "LambdaFunctionStarted", "LambdaFunctionSucceeded", "TaskStateExited A", "ExecutionSucceeded"])

    def test_status_events_carry_the_redrive(self):
        self.functions.fail("b")
        arn = self.start(self.machine(THREE))
        self.wait(arn, "FAILED")
        self.redrive(arn)
        self.wait(arn, "SUCCEEDED")
        self.until(lambda: len(self.published) == 4, "four events")
        self.assertEqual([(e["status"], e["redriveCount"], e["redriveStatus"]) for e in self.published], [
            ("RUNNING", 0, "NOT_REDRIVABLE"), ("FAILED", 0, "REDRIVABLE"),
            ("RUNNING", 1, "NOT_REDRIVABLE"), ("SUCCEEDED", 1, "NOT_REDRIVABLE")])
        self.assertIsInstance(self.published[2]["redriveDate"], int)
        self.assertEqual(self.published[1]["error"], "Boom")

    def test_context_holds_the_count(self):
        states = {"A": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {
            "FunctionName": "a", "Payload": {"attempt.$": "$$.Execution.RedriveCount"}}, "End": True}}
        self.functions.fail("a", times=2)
        arn = self.start(self.machine(states))
        self.wait(arn, "FAILED")
        for _ in range(2):
            self.redrive(arn)
            self.wait(arn, "FAILED", "SUCCEEDED")
        self.assertEqual([event["attempt"] for _, event in self.functions.calls], [0, 1, 2])

    def test_keeps_the_definition_it_started_with(self):
        self.functions.fail("b")
        machine = self.machine(THREE)
        arn = self.start(machine)
        self.wait(arn, "FAILED")
        self.call("UpdateStateMachine", stateMachineArn=machine, definition=json.dumps({
            "StartAt": "A", "States": {"A": task("other", Next="B"), "B": task("other", End=True)}}))
        self.redrive(arn)
        self.wait(arn, "SUCCEEDED")
        self.assertEqual((self.functions.count("other"), self.functions.count("c")), (0, 1))
        shown = self.call("DescribeStateMachineForExecution", executionArn=arn)
        self.assertIn("C", json.loads(shown["definition"])["States"])

    def test_what_cannot_be_redriven(self):
        hold = threading.Event()
        self.addCleanup(hold.set)
        self.functions.on("c", lambda e: hold.wait(5) and e)
        arn = self.start(self.machine(THREE))
        self.until(lambda: self.functions.count("c"), "third task")
        running = self.redrive(arn)
        self.assertEqual((running["__type"], running["message"]),
                         ("ExecutionNotRedrivable", "Execution is RUNNING and cannot be redriven"))
        hold.set()
        self.wait(arn, "SUCCEEDED")
        self.assertEqual(self.redrive(arn)["__type"], "ExecutionNotRedrivable")
        self.assertEqual(self.redrive(arn[:-1])["__type"], "ExecutionDoesNotExist")
        self.assertEqual(self.redrive("nonsense")["__type"], "InvalidArn")
        self.assertEqual(self.redrive(arn, clientToken="é")["__type"], "ValidationException")

    def test_period_and_history_limits(self):
        self.functions.fail("a", times=9)
        arn = self.start(self.machine(THREE))
        self.wait(arn, "FAILED")
        execution = sfn._executions[arn]
        stop = execution["stopDate"]
        execution["stopDate"] = "2024-01-01T00:00:00Z"
        self.assertEqual(self.redrive(arn)["message"], "Execution's redrivable period exceeded")
        execution["stopDate"] = stop
        events = execution["events"]
        execution["events"] = events * 24999
        self.assertEqual(self.redrive(arn)["message"], "Execution history event limit exceeded")
        execution["events"] = events

    def test_only_one_of_two_redrives_wins(self):
        hold = threading.Event()
        self.addCleanup(hold.set)
        self.functions.fail("b")
        arn = self.start(self.machine(THREE))
        self.wait(arn, "FAILED")
        self.functions.on("b", lambda e: hold.wait(5) and e)
        answers, barrier = [], threading.Barrier(8)

        def ask():
            barrier.wait()
            answers.append(self.redrive(arn)["http"])

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        hold.set()
        self.assertEqual(sorted(answers), [200] + [400] * 7)
        self.assertEqual(self.wait(arn, "SUCCEEDED")["redriveCount"], 1)

    def test_client_token(self):
        self.functions.fail("a", times=99)
        arn = self.start(self.machine(THREE))
        self.wait(arn, "FAILED")
        dates = []
        for token in [f"t{i}" for i in range(11)]:
            dates.append(self.redrive(arn, clientToken=token)["redriveDate"])
            self.wait(arn, "FAILED")
        again = self.redrive(arn, clientToken="t10")
        self.assertEqual((again["http"], again["redriveDate"]), (200, dates[10]))
        self.assertEqual(self.wait(arn, "FAILED")["redriveCount"], 11)
        self.redrive(arn, clientToken="t0")  # the eleventh last token is forgotten
        self.assertEqual(self.wait(arn, "FAILED")["redriveCount"], 12)

    def test_fail_state_fails_again(self):
        arn = self.start(self.machine({"A": task("a", Next="F"), "F": {"Type": "Fail", "Error": "Bad", "Cause": "why"}}))
        self.wait(arn, "FAILED")
        self.redrive(arn)
        self.assertEqual(self.wait(arn, "FAILED")["error"], "Bad")
        self.assertEqual(self.history(arn)[-5:], [
            "FailStateEntered F", "ExecutionFailed", "ExecutionRedriven", "FailStateEntered F", "ExecutionFailed"])

    def test_choice_is_evaluated_again_and_wait_ends(self):
        states = {
            "A": {"Type": "Wait", "Timestamp": "2020-01-01T00:00:00Z", "Next": "B"},
            "B": {"Type": "Choice", "Choices": [{"Variable": "$.x", "NumericEquals": 2, "Next": "C"}]},
            "C": task("c", End=True)}
        arn = self.start(self.machine(states), {"x": 1})
        self.assertEqual(self.wait(arn, "FAILED")["error"], "States.NoChoiceMatched")
        self.redrive(arn)
        self.wait(arn, "FAILED")
        self.assertEqual(self.history(arn)[-3:], ["ExecutionFailed", "ExecutionRedriven", "ExecutionFailed"])

    def test_stopped_execution_is_redriven(self):
        hold, started = threading.Event(), threading.Event()
        self.addCleanup(hold.set)
        self.functions.on("b", lambda e: started.set() or hold.wait(5) and e)
        arn = self.start(self.machine(THREE))
        started.wait(5)
        stop = self.call("StopExecution", executionArn=arn, error="Restart", cause="asked")
        self.assertEqual(self.call("StopExecution", executionArn=arn)["stopDate"], stop["stopDate"])
        described = self.wait(arn, "ABORTED")
        self.assertEqual((described["error"], described["cause"]), ("Restart", "asked"))
        hold.set()
        self.redrive(arn)
        self.wait(arn, "SUCCEEDED")
        self.assertEqual([self.functions.count(f) for f in "abc"], [1, 2, 1])

    def test_stop_ends_a_wait_at_once(self):
        self.replace(sfn, "_SFN_WAIT_SCALE", 1)
        arn = self.start(self.machine({"A": {"Type": "Wait", "Seconds": 3600, "End": True}}))
        self.until(lambda: "WaitStateEntered A" in self.history(arn), "wait")
        self.call("StopExecution", executionArn=arn)
        self.wait(arn, "ABORTED")

    def test_execution_timeout_counts_anew(self):
        hold = threading.Event()
        self.addCleanup(hold.set)
        self.functions.on("b", lambda e: hold.wait(5) and e)
        arn = self.start(self.machine(THREE, TimeoutSeconds=0.2))
        self.assertEqual(self.wait(arn, "TIMED_OUT")["error"], "States.Timeout")
        hold.set()
        self.redrive(arn)
        self.wait(arn, "SUCCEEDED")

    def test_start_is_idempotent_while_running(self):
        hold = threading.Event()
        self.addCleanup(hold.set)
        self.functions.on("a", lambda e: hold.wait(5) and e)
        machine = self.machine(THREE)
        arn = self.start(machine, {"x": 1})
        same = self.call("StartExecution", stateMachineArn=machine, name="IMPORT_1", input='{"x": 1}')
        self.assertEqual((same["http"], same["executionArn"]), (200, arn))
        other = self.call("StartExecution", stateMachineArn=machine, name="IMPORT_1", input='{"x": 2}')
        self.assertEqual(other["__type"], "ExecutionAlreadyExists")
        hold.set()
        self.wait(arn, "SUCCEEDED")
        self.assertEqual(self.functions.count("a"), 1)


class RetryTest(StepFunctionsTest):
    def delays(self, retrier, times):
        """The waits of a task that fails so often under one retrier."""
        waits = []
        self.replace(sfn, "_SFN_WAIT_SCALE", 1)
        self.replace(Scope, "sleep", lambda scope, seconds: waits.append(seconds))
        self.functions.fail("a", times=times)
        arn = self.start(self.machine({"A": task("a", Retry=[retrier], End=True)}))
        self.wait(arn, "SUCCEEDED", "FAILED")
        return waits

    def test_max_delay(self):
        self.assertEqual(self.delays({
            "ErrorEquals": ["Boom"], "IntervalSeconds": 2, "BackoffRate": 3, "MaxAttempts": 5,
            "MaxDelaySeconds": 20, "JitterStrategy": "FULL"}, 5), [2, 6, 18, 20, 20])

    def test_attempts_are_counted_anew_after_a_redrive(self):
        self.functions.fail("a", times=5)
        arn = self.start(self.machine({"A": task("a", End=True, Retry=[
            {"ErrorEquals": ["States.ALL"], "MaxAttempts": 2}])}))
        self.wait(arn, "FAILED")
        self.assertEqual(self.functions.count("a"), 3)
        self.redrive(arn)
        self.wait(arn, "SUCCEEDED")
        self.assertEqual(self.functions.count("a"), 6)

    def test_data_limit_is_not_caught(self):
        self.functions.on("a", lambda e: {"text": "x" * 262144})
        arn = self.start(self.machine({"A": task("a", End=True, Retry=[{"ErrorEquals": ["States.ALL"]}])}))
        self.assertEqual(self.wait(arn, "FAILED")["error"], "States.DataLimitExceeded")
        self.assertEqual(self.functions.count("a"), 1)

    def test_task_timeout(self):
        hold = threading.Event()
        self.addCleanup(hold.set)
        self.functions.on("a", lambda e: hold.wait(5) and e)
        arn = self.start(self.machine({"A": task("a", End=True, TimeoutSeconds=0.05)}))
        self.assertEqual(self.wait(arn, "FAILED")["error"], "States.Timeout")
        self.assertIn("TaskTimedOut", self.history(arn))


if __name__ == "__main__":
    unittest.main()
