"""What the documentation says of redrives, sentence by sentence, where test_redrive and test_maps do not.

https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
https://docs.aws.amazon.com/step-functions/latest/dg/redrive-map-run.html
https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html
"""

import json
import threading
import unittest
from datetime import datetime, timedelta, timezone

import api
import mapruns
import redrives
from harness import StepFunctionsTest, sfn, task
from test_maps import TWO, distributed

THREE = {"A": task("a", Next="B"), "B": task("b", Next="C"), "C": task("c", End=True)}


class ExecutionTest(StepFunctionsTest):
    def test_it_is_the_same_execution(self):
        hold = threading.Event()
        self.addCleanup(hold.set)
        machine = self.machine(THREE)
        self.functions.fail("b")
        arn = self.start(machine, {"x": 1})
        before = self.wait(arn, "FAILED")
        self.functions.on("c", lambda e: hold.wait(5) and e)
        self.redrive(arn)
        self.until(lambda: self.functions.count("c"), "third task")
        running = self.call("DescribeExecution", executionArn=arn)
        for member in ("executionArn", "name", "input", "startDate", "stateMachineArn"):
            self.assertEqual(running[member], before[member], member)
        self.assertEqual((running["status"], running.get("stopDate"), running["redriveStatus"]),
                         ("RUNNING", None, "NOT_REDRIVABLE"))
        hold.set()
        self.wait(arn, "SUCCEEDED")
        listed = self.call("ListExecutions", stateMachineArn=machine)["executions"]
        self.assertEqual([(e["executionArn"], e["status"], e["redriveCount"]) for e in listed], [(arn, "SUCCEEDED", 1)])
        events = self.call("GetExecutionHistory", executionArn=arn, maxResults=1000)["events"]
        self.assertEqual([e["id"] for e in events], list(range(1, len(events) + 1)))
        redriven = [e for e in events if e["type"] == "ExecutionRedriven"]
        self.assertEqual([e["executionRedrivenEventDetails"] for e in redriven], [{"redriveCount": 1}])

    def test_refusals_count_nothing_and_leave_no_event(self):
        arn = self.start(self.machine(THREE))
        self.wait(arn, "SUCCEEDED")
        before = self.history(arn)
        self.assertEqual(self.redrive(arn, clientToken="t")["__type"], "ExecutionNotRedrivable")
        self.assertEqual(self.redrive(arn, clientToken="t")["__type"], "ExecutionNotRedrivable")
        self.assertEqual(self.history(arn), before)
        self.assertEqual(self.wait(arn, "SUCCEEDED")["redriveCount"], 0)

    def test_every_end_but_success_is_redrivable_and_says_so(self):
        hold = threading.Event()
        self.addCleanup(hold.set)
        self.functions.on("b", lambda e: hold.wait(5) and e)
        stopped = self.start(self.machine(THREE, name="stopped"))
        self.until(lambda: self.functions.count("b"), "second task")
        self.call("StopExecution", executionArn=stopped)
        self.wait(stopped, "ABORTED")
        late = self.start(self.machine(THREE, name="late", TimeoutSeconds=0.1))
        self.wait(late, "TIMED_OUT")
        for arn, status in ((stopped, "ABORTED"), (late, "TIMED_OUT")):
            self.assertEqual(self.call("DescribeExecution", executionArn=arn)["redriveStatus"], "REDRIVABLE")
            told = self.until(lambda a=arn, s=status: [e for e in self.published if e["executionArn"] == a and e["status"] == s], "event")
            self.assertEqual([(e["redriveStatus"], e["redriveCount"], e["redriveDate"]) for e in told], [("REDRIVABLE", 0, None)])

    def test_fourteen_days_from_the_end(self):
        self.functions.fail("a")
        arn = self.start(self.machine(THREE))
        self.wait(arn, "FAILED")
        execution = sfn._executions[arn]
        end = datetime(2024, 10, 9, tzinfo=timezone.utc)
        execution["startDate"], execution["stopDate"] = "2024-09-01T00:00:00Z", "2024-10-09T00:00:00Z"
        self.assertEqual(redrives.redrive_status(execution, end + timedelta(days=14)), ("REDRIVABLE", None))
        self.assertEqual(redrives.redrive_status(execution, end + timedelta(days=14, seconds=1)),
                         ("NOT_REDRIVABLE", "Execution's redrivable period exceeded"))

    def test_fewer_than_24999_events(self):
        self.functions.fail("a")
        arn = self.start(self.machine(THREE))
        self.wait(arn, "FAILED")
        execution = sfn._executions[arn]
        for length, status in ((24998, "REDRIVABLE"), (24999, "NOT_REDRIVABLE")):
            self.assertEqual(redrives.redrive_status({**execution, "events": execution["events"][:1] * length})[0], status)

    def test_standard_executions_only(self):
        self.functions.fail("a")
        arn = self.start(self.machine(THREE))
        self.wait(arn, "FAILED")
        sfn._executions[arn]["sync"] = True
        self.assertEqual(self.redrive(arn)["__type"], "ExecutionNotRedrivable")

    def test_open_executions_are_limited(self):
        self.functions.fail("a")
        arn = self.start(self.machine(THREE))
        self.wait(arn, "FAILED")
        self.replace(api, "MAX_OPEN", 0)
        self.assertEqual(self.redrive(arn)["__type"], "ExecutionLimitExceeded")
        self.assertEqual(self.wait(arn, "FAILED")["redriveCount"], 0)

    def test_a_token_answers_alike_for_fifteen_minutes(self):
        hold = threading.Event()
        self.addCleanup(hold.set)
        self.functions.fail("a")
        arn = self.start(self.machine(THREE))
        self.wait(arn, "FAILED")
        self.functions.on("a", lambda e: hold.wait(5) and e)
        first = self.redrive(arn, clientToken="t")
        self.until(lambda: self.functions.count("a") == 2, "the redriven task")
        again = self.redrive(arn, clientToken="t")  # it runs, and is no error for this caller
        self.assertEqual((again["http"], again["redriveDate"]), (200, first["redriveDate"]))
        self.assertEqual(self.redrive(arn, clientToken="u")["__type"], "ExecutionNotRedrivable")
        self.replace(api, "TOKEN_SECONDS", 0)
        self.assertEqual(self.redrive(arn, clientToken="t")["__type"], "ExecutionNotRedrivable")
        hold.set()
        self.wait(arn, "SUCCEEDED")
        self.assertEqual(self.functions.count("a"), 2)


class StateTest(StepFunctionsTest):
    def test_pass_is_exited_and_not_run(self):
        states = {"A": {"Type": "Pass", "Result": "x" * 262144, "Next": "B"}, "B": task("b", End=True)}
        arn = self.start(self.machine(states), {"x": 1})
        self.assertEqual(self.wait(arn, "FAILED")["error"], "States.DataLimitExceeded")
        self.redrive(arn)
        self.assertEqual(json.loads(self.wait(arn, "SUCCEEDED")["output"]), {"x": 1})
        self.assertEqual(self.history(arn)[:6], ["ExecutionStarted", "PassStateEntered A", "ExecutionFailed",
                                                 "ExecutionRedriven", "PassStateExited A", "TaskStateEntered B"])

    def test_wait_whose_time_has_come_is_exited(self):
        self.replace(sfn, "_SFN_WAIT_SCALE", 1)
        at = datetime.now(timezone.utc) + timedelta(seconds=1)
        arn = self.start(self.machine({"A": {"Type": "Wait", "Timestamp": at.isoformat().replace("+00:00", "Z"), "Next": "B"},
                                       "B": task("b", End=True)}))
        self.until(lambda: "WaitStateEntered A" in self.history(arn), "wait")
        self.call("StopExecution", executionArn=arn)
        self.wait(arn, "ABORTED")
        self.until(lambda: datetime.now(timezone.utc) > at, "the time of the wait")
        self.redrive(arn)
        self.wait(arn, "SUCCEEDED")
        self.assertEqual(self.history(arn)[1:6], ["WaitStateEntered A", "ExecutionAborted", "ExecutionRedriven",
                                                  "WaitStateExited A", "TaskStateEntered B"])

    def test_context_has_the_time_of_a_redrive_only(self):
        states = {"A": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {
            "FunctionName": "a", "Payload": {"execution.$": "$$.Execution"}}, "End": True}}
        self.functions.fail("a")
        arn = self.start(self.machine(states))
        self.wait(arn, "FAILED")
        date = self.redrive(arn)["redriveDate"]
        self.wait(arn, "SUCCEEDED")
        first, second = (event["execution"] for _, event in self.functions.calls)
        self.assertNotIn("RedriveTime", first)
        self.assertTrue(second["RedriveTime"] and date)
        self.assertEqual((first["StartTime"], first["Id"]), (second["StartTime"], second["Id"]))


class MapRunTest(StepFunctionsTest):
    def map_run(self, arn):
        """DescribeMapRun of the execution's only Map Run."""
        (run,) = self.call("ListMapRuns", executionArn=arn)["mapRuns"]
        return self.call("DescribeMapRun", mapRunArn=run["mapRunArn"])

    def test_children_above_the_concurrency_wait_as_pending_redrive(self):
        hold = threading.Event()
        self.addCleanup(hold.set)
        self.functions.fail("stage", times=3)
        arn = self.start(self.machine(distributed(TWO, MaxConcurrency=1, ToleratedFailureCount=2)), {"items": [1, 2, 3, 4]})
        self.wait(arn, "FAILED")
        self.functions.on("stage", lambda e: hold.wait(5) and e)
        self.redrive(arn)
        self.until(lambda: self.functions.count("stage") == 4, "a redriven child in Stage")
        run = self.map_run(arn)
        self.assertEqual({k: v for k, v in run["itemCounts"].items() if v},
                         {"running": 1, "pendingRedrive": 2, "pending": 1, "total": 4})
        waiting = self.call("ListExecutions", mapRunArn=run["mapRunArn"], statusFilter="PENDING_REDRIVE")["executions"]
        self.assertEqual(len(waiting), 2)
        hold.set()
        self.wait(arn, "SUCCEEDED")
        self.assertEqual({k: v for k, v in self.map_run(arn)["itemCounts"].items() if v}, {"succeeded": 4, "total": 4})
        self.assertEqual((self.functions.count("protect"), self.functions.count("stage")), (4, 7))

    def test_children_tell_no_status(self):
        self.functions.fail("stage")
        arn = self.start(self.machine(distributed(TWO, MaxConcurrency=1)), {"items": [1, 2]})
        self.wait(arn, "FAILED")
        self.redrive(arn)
        self.wait(arn, "SUCCEEDED")
        self.until(lambda: len(self.published) == 4, "four events")
        self.assertEqual([(e["executionArn"], e["status"], e["redriveCount"]) for e in self.published],
                         [(arn, "RUNNING", 0), (arn, "FAILED", 0), (arn, "RUNNING", 1), (arn, "SUCCEEDED", 1)])

    def test_redrives_are_counted_and_limited(self):
        self.replace(mapruns, "MAX_REDRIVES", 2)
        self.functions.fail("stage", times=9)
        arn = self.start(self.machine(distributed(TWO)), {"items": [1]})
        for count in (1, 2):
            self.wait(arn, "FAILED")
            self.redrive(arn)
            self.wait(arn, "FAILED")
            run = self.map_run(arn)
            self.assertEqual((run["redriveCount"], run["status"]), (count, "FAILED"))
        self.redrive(arn)
        self.assertEqual(self.wait(arn, "FAILED")["error"], "States.Runtime")
        self.assertEqual((self.functions.count("protect"), self.functions.count("stage")), (1, 3))


if __name__ == "__main__":
    unittest.main()
