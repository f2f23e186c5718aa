"""Redrives of Map and Parallel states, inline and distributed."""

import json
import threading
import unittest

from harness import StepFunctionsTest, s3, sfn, task


def inline(processor, **more):
    """A state machine's states with one inline Map over $.items."""
    return {"A": {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "End": True, **more}}


def distributed(processor, kind="STANDARD", **more):
    """The same with a distributed Map labelled Raw."""
    config = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
    return {"A": {"Type": "Map", "Label": "Raw", "ItemsPath": "$.items", "End": True,
                  "ItemProcessor": {"ProcessorConfig": config, **processor}, **more}}


TWO = {"StartAt": "P", "States": {"P": task("protect", Next="S"), "S": task("stage", End=True)}}


class InlineMapTest(StepFunctionsTest):
    def test_only_failed_and_aborted_iterations_run_again(self):
        self.functions.fail("stage", only=lambda e: e == 2)
        arn = self.start(self.machine(inline(TWO, MaxConcurrency=1)), {"items": [1, 2, 3]})
        self.wait(arn, "FAILED")
        self.assertEqual((self.functions.count("protect"), self.functions.count("stage")), (2, 2))
        self.redrive(arn)
        self.assertEqual(json.loads(self.wait(arn, "SUCCEEDED")["output"]), [1, 2, 3])
        self.assertEqual((self.functions.count("protect"), self.functions.count("stage")), (3, 4))
        history = self.history(arn)
        self.assertEqual(history.count("MapIterationFailed"), 1)
        self.assertEqual(history.count("MapStateFailed"), 1)
        again = history[history.index("ExecutionRedriven"):]
        self.assertEqual([h for h in again if "Map" in h], [
            "MapIterationStarted", "MapIterationSucceeded", "MapIterationStarted", "MapIterationSucceeded",
            "MapStateSucceeded", "MapStateExited A"])
        self.assertEqual(again[1:3], ["MapIterationStarted", "TaskScheduled"])

    def test_a_failure_aborts_the_others(self):
        hold, started = threading.Event(), threading.Event()
        self.addCleanup(hold.set)

        def protect(event):
            if event == 1:
                started.set()
                hold.wait(5)
            else:
                started.wait(5)
            return event

        self.functions.on("protect", protect)
        self.functions.fail("stage", only=lambda e: e == 2)
        arn = self.start(self.machine(inline(TWO)), {"items": [1, 2]})
        self.wait(arn, "FAILED")
        self.assertIn("MapIterationAborted", self.history(arn))
        hold.set()
        self.redrive(arn)
        self.wait(arn, "SUCCEEDED")
        self.assertEqual((self.functions.count("protect"), self.functions.count("stage")), (3, 3))

    def test_retry_of_the_map_runs_all_of_it(self):
        self.functions.fail("stage", only=lambda e: e == 2)
        arn = self.start(self.machine(inline(TWO, MaxConcurrency=1, Retry=[{"ErrorEquals": ["Boom"]}])),
                         {"items": [1, 2]})
        self.wait(arn, "SUCCEEDED")
        self.assertEqual((self.functions.count("protect"), self.functions.count("stage")), (4, 4))

    def test_max_concurrency_path(self):
        lock, now, most = threading.Lock(), [0], [0]
        both = threading.Barrier(2, timeout=5)

        def protect(event):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            both.wait()
            with lock:
                now[0] -= 1
            return event

        self.functions.on("protect", protect)
        for states in (inline(TWO, MaxConcurrencyPath="$.width"), distributed(TWO, MaxConcurrencyPath="$.width")):
            most[0] = 0
            arn = self.start(self.machine(states, name=f"m{len(self.functions.calls)}"),
                             {"items": list(range(8)), "width": 2})
            self.wait(arn, "SUCCEEDED")
            self.assertEqual(most[0], 2)
        arn = self.start(self.machine(inline(TWO, MaxConcurrencyPath="$.width"), name="bad"), {"items": [], "width": "2"})
        self.assertEqual(self.wait(arn, "FAILED")["error"], "States.Runtime")

    def test_parallel_keeps_finished_branches(self):
        states = {"A": {"Type": "Parallel", "End": True, "Branches": [
            {"StartAt": "X", "States": {"X": task("x", End=True)}},
            {"StartAt": "Y", "States": {"Y": task("y", Next="Z"), "Z": task("z", End=True)}}]}}
        done = threading.Event()
        self.functions.on("x", lambda e: done.set() or "x")
        self.functions.on("y", lambda e: done.wait(5) and "y")
        self.functions.fail("z")
        arn = self.start(self.machine(states))
        self.until(lambda: "TaskStateExited X" in self.history(arn), "branch X")
        self.wait(arn, "FAILED")
        self.redrive(arn)
        self.assertEqual(json.loads(self.wait(arn, "SUCCEEDED")["output"]), ["x", "y"])
        self.assertEqual([self.functions.count(f) for f in "xyz"], [1, 1, 2])

    def test_map_in_a_map(self):
        inner = {"StartAt": "M", "States": {"M": {"Type": "Map", "End": True, "MaxConcurrency": 1, "ItemProcessor": TWO}}}
        self.functions.fail("stage", only=lambda e: e == 3)
        arn = self.start(self.machine(inline(inner, MaxConcurrency=1)), {"items": [[1], [2, 3], [4]]})
        self.wait(arn, "FAILED")
        self.redrive(arn)
        self.assertEqual(json.loads(self.wait(arn, "SUCCEEDED")["output"]), [[1], [2, 3], [4]])
        self.assertEqual(self.functions.count("protect"), 4)


class DistributedMapTest(StepFunctionsTest):
    def run_of(self, arn):
        """DescribeMapRun of the execution's only Map Run."""
        runs = self.call("ListMapRuns", executionArn=arn)["mapRuns"]
        self.assertEqual(len(runs), 1)
        return self.call("DescribeMapRun", mapRunArn=runs[0]["mapRunArn"])

    def children(self, run, **more):
        """ListExecutions of a Map Run."""
        return self.call("ListExecutions", mapRunArn=run["mapRunArn"], **more)["executions"]

    def counts(self, run):
        """The counters that are not zero."""
        return {k: v for k, v in run["itemCounts"].items() if v}

    def test_children_go_on_where_they_failed(self):
        self.functions.fail("stage", only=lambda e: e == 2)
        arn = self.start(self.machine(distributed(TWO, MaxConcurrency=1)), {"items": [1, 2, 3]})
        self.assertEqual(self.wait(arn, "FAILED")["error"], "States.ExceedToleratedFailureThreshold")
        run = self.run_of(arn)
        self.assertEqual((run["status"], self.counts(run)),
                         ("FAILED", {"succeeded": 1, "failed": 1, "pending": 1, "total": 3}))
        failed = self.children(run, statusFilter="FAILED")[0]
        shown = self.call("DescribeExecution", executionArn=failed["executionArn"])
        self.assertEqual((shown["redriveStatus"], shown["error"]), ("REDRIVABLE_BY_MAP_RUN", "Boom"))
        self.assertEqual(self.redrive(failed["executionArn"])["__type"], "ExecutionNotRedrivable")

        self.redrive(arn)
        self.assertEqual(json.loads(self.wait(arn, "SUCCEEDED")["output"]), [1, 2, 3])
        self.assertEqual((self.functions.count("protect"), self.functions.count("stage")), (3, 4))
        run = self.run_of(arn)
        self.assertEqual((run["status"], self.counts(run), run["redriveCount"]),
                         ("SUCCEEDED", {"succeeded": 3, "total": 3}, 1))
        self.assertEqual(self.history(failed["executionArn"]), [
            "ExecutionStarted", "TaskStateEntered P", "TaskScheduled", "TaskStarted", "TaskSucceeded",
            "TaskStateExited P", "TaskStateEntered S", "TaskScheduled", "TaskStarted", "TaskFailed",
            "ExecutionFailed", "ExecutionRedriven", "TaskScheduled", "TaskStarted", "TaskSucceeded",
            "TaskStateExited S", "ExecutionSucceeded"])
        redriven = self.children(run, redriveFilter="REDRIVEN")
        self.assertEqual([(e["executionArn"], e["redriveCount"]) for e in redriven], [(failed["executionArn"], 1)])
        self.assertEqual(self.history(arn), [
            "ExecutionStarted", "MapStateEntered A", "MapStateStarted", "MapRunStarted", "MapRunFailed",
            "MapStateFailed", "ExecutionFailed", "ExecutionRedriven", "MapRunRedriven", "MapRunSucceeded",
            "MapStateSucceeded", "MapStateExited A", "ExecutionSucceeded"])

    def test_express_children_start_over(self):
        self.functions.fail("stage", only=lambda e: e == 2)
        arn = self.start(self.machine(distributed(TWO, kind="EXPRESS", MaxConcurrency=1)), {"items": [1, 2]})
        self.wait(arn, "FAILED")
        self.redrive(arn)
        self.wait(arn, "SUCCEEDED")
        self.assertEqual((self.functions.count("protect"), self.functions.count("stage")), (3, 3))

    def test_tolerated_failures(self):
        for limits, status in (({"ToleratedFailureCount": 2}, "SUCCEEDED"), ({"ToleratedFailureCount": 1}, "FAILED"),
                               ({"ToleratedFailurePercentage": 50}, "SUCCEEDED"),
                               ({"ToleratedFailurePercentagePath": "$.percent"}, "FAILED")):
            with self.subTest(limits=limits):
                self.functions.fail("stage", times=2)
                self.functions.calls.clear()
                arn = self.start(self.machine(distributed(TWO, MaxConcurrency=1, **limits), name=f"m{id(limits)}"),
                                 {"items": [1, 2, 3, 4], "percent": 49})
                self.wait(arn, status)
                started = 2 if status == "FAILED" else 4
                self.assertEqual(self.functions.count("protect"), started)

    def test_stop_aborts_children_and_redrive_takes_them_up(self):
        hold = threading.Event()
        self.addCleanup(hold.set)
        self.functions.on("stage", lambda e: hold.wait(5) and e)
        arn = self.start(self.machine(distributed(TWO, MaxConcurrency=2)), {"items": [1, 2, 3]})
        self.until(lambda: self.functions.count("stage") == 2, "two children in Stage")
        self.call("StopExecution", executionArn=arn)
        self.wait(arn, "ABORTED")
        run = self.run_of(arn)
        self.assertEqual((run["status"], self.counts(run)), ("ABORTED", {"aborted": 2, "pending": 1, "total": 3}))
        self.assertEqual({e["status"] for e in self.children(run)}, {"ABORTED"})
        hold.set()
        self.redrive(arn)
        self.wait(arn, "SUCCEEDED")
        self.assertEqual((self.functions.count("protect"), self.functions.count("stage")), (3, 5))
        self.assertEqual(self.counts(self.run_of(arn)), {"succeeded": 3, "total": 3})

    def test_child_has_its_own_context(self):
        states = distributed({"StartAt": "P", "States": {"P": {
            "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True, "Parameters": {
                "FunctionName": "p", "Payload": {"id.$": "$$.Execution.Id", "name.$": "$$.Execution.Name",
                                                 "attempt.$": "$$.Execution.RedriveCount"}}}}},
            ItemSelector={"index.$": "$$.Map.Item.Index", "import.$": "$$.Execution.Name"})
        self.functions.fail("p")
        arn = self.start(self.machine(states), {"items": ["x"]})
        self.wait(arn, "FAILED")
        self.redrive(arn)
        self.wait(arn, "SUCCEEDED")
        child = self.children(self.run_of(arn))[0]
        self.assertRegex(child["executionArn"], r"execution:import/Raw:[0-9a-f-]+$")
        self.assertEqual(sfn._executions[child["executionArn"]]["input"], '{"index": 0, "import": "IMPORT_1"}')
        self.assertEqual([e["attempt"] for _, e in self.functions.calls], [0, 1])
        self.assertEqual(self.functions.calls[0][1]["name"], child["name"])

    def test_retry_starts_a_new_map_run(self):
        self.functions.fail("stage")
        arn = self.start(self.machine(distributed(TWO, Retry=[
            {"ErrorEquals": ["States.ExceedToleratedFailureThreshold"]}])), {"items": [1]})
        self.wait(arn, "SUCCEEDED")
        self.assertEqual(len(self.call("ListMapRuns", executionArn=arn)["mapRuns"]), 2)
        self.assertEqual(self.functions.count("protect"), 2)

    def test_too_much_output_starts_a_new_map_run(self):
        size = [200_000]
        self.functions.on("stage", lambda e: "x" * size[0])
        arn = self.start(self.machine(distributed(TWO)), {"items": [1, 2]})
        self.assertEqual(self.wait(arn, "FAILED")["error"], "States.DataLimitExceeded")
        size[0] = 10
        self.redrive(arn)
        self.wait(arn, "SUCCEEDED")
        self.assertEqual(self.functions.count("protect"), 4)

    def test_restart_of_the_emulator(self):
        self.functions.fail("stage", only=lambda e: e == 2)
        arn = self.start(self.machine(distributed(TWO, MaxConcurrency=1)), {"items": [1, 2, 3]})
        self.wait(arn, "FAILED")
        from ministack.core import persistence
        saved = json.dumps(sfn.get_state(), default=persistence._json_default)
        sfn.reset()
        sfn.load_persisted_state(json.loads(saved, object_hook=persistence._json_object_hook))
        self.redrive(arn)
        self.assertEqual(json.loads(self.wait(arn, "SUCCEEDED")["output"]), [1, 2, 3])
        self.assertEqual((self.functions.count("protect"), self.functions.count("stage")), (3, 4))

    def test_restart_while_children_run(self):
        hold = threading.Event()
        self.addCleanup(hold.set)
        self.functions.on("stage", lambda e: hold.wait(5) and e)
        arn = self.start(self.machine(distributed(TWO, MaxConcurrency=1)), {"items": [1, 2]})
        self.until(lambda: self.functions.count("stage") == 1, "a child in Stage")
        from ministack.core import persistence
        saved = json.dumps(sfn.get_state(), default=persistence._json_default)
        self.call("StopExecution", executionArn=arn)
        self.wait(arn, "ABORTED")
        sfn.reset()
        hold.set()
        sfn.load_persisted_state(json.loads(saved, object_hook=persistence._json_object_hook))
        shown = self.call("DescribeExecution", executionArn=arn)
        self.assertEqual((shown["status"], shown["redriveStatus"]), ("FAILED", "REDRIVABLE"))
        self.assertEqual(self.counts(self.run_of(arn)), {"failed": 1, "pending": 1, "total": 2})
        self.redrive(arn)
        self.wait(arn, "SUCCEEDED")
        self.assertEqual((self.functions.count("protect"), self.functions.count("stage")), (2, 3))


class ReaderAndWriterTest(StepFunctionsTest):
    def setUp(self):
        super().setUp()
        s3.reset()
        s3._create_bucket("work", b"", {})
        s3._bucket_versioning["work"] = "Enabled"

    def put(self, key, body):
        """Writes an object; returns its version."""
        return s3._put_object("work", key, body, {})[1]["x-amz-version-id"]

    def object(self, key):
        """An object's JSON."""
        return json.loads(s3._get_object_data("work", key))

    def states(self, **more):
        """A distributed Map over a version of work/manifest.jsonl."""
        return distributed(TWO, ItemReader={
            "Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSONL"},
            "Parameters": {"Bucket": "work", "Key": "manifest.jsonl", "VersionId.$": "$.version"}}, **more)

    def test_reads_the_version_and_keeps_the_items_on_redrive(self):
        version = self.put("manifest.jsonl", b'{"chunk":0}\n{"chunk":1}\n')
        self.put("manifest.jsonl", b'{"chunk":9}\n')
        self.functions.fail("stage", only=lambda e: e == {"chunk": 1})
        arn = self.start(self.machine(self.states(MaxConcurrency=1)), {"version": version})
        self.wait(arn, "FAILED")
        s3._delete_object("work", "manifest.jsonl", {}, {})
        self.redrive(arn)
        self.assertEqual(json.loads(self.wait(arn, "SUCCEEDED")["output"]), [{"chunk": 0}, {"chunk": 1}])

    def test_missing_version_is_read_again_on_redrive(self):
        arn = self.start(self.machine(self.states()), {"version": "none"})
        self.assertEqual(self.wait(arn, "FAILED")["error"], "States.ItemReaderFailed")
        self.redrive(arn)
        self.assertEqual(self.wait(arn, "FAILED")["redriveCount"], 1)

    def test_result_writer(self):
        version = self.put("manifest.jsonl", b'{"chunk":0}\n{"chunk":1}\n{"chunk":2}\n')
        self.functions.fail("stage", only=lambda e: e == {"chunk": 1})
        arn = self.start(self.machine(self.states(MaxConcurrency=1, ResultWriter={
            "Resource": "arn:aws:states:::s3:putObject",
            "Parameters": {"Bucket": "work", "Prefix": "IMPORT_1/results"}})), {"version": version})
        self.wait(arn, "FAILED")
        run = self.call("ListMapRuns", executionArn=arn)["mapRuns"][0]["mapRunArn"]
        folder = f"IMPORT_1/results/{run.rpartition(':')[2]}"
        manifest = self.object(f"{folder}/manifest.json")
        self.assertEqual({k: len(v) for k, v in manifest["ResultFiles"].items()},
                         {"SUCCEEDED": 1, "FAILED": 1, "PENDING": 1})
        self.assertEqual(self.object(f"{folder}/FAILED_0.json")[0]["Error"], "Boom")
        self.redrive(arn)
        output = json.loads(self.wait(arn, "SUCCEEDED")["output"])
        self.assertEqual(output, {"MapRunArn": run, "ResultWriterDetails": {
            "Bucket": "work", "Key": f"{folder}/manifest.json"}})
        manifest = self.object(f"{folder}/manifest.json")
        self.assertEqual({k: len(v) for k, v in manifest["ResultFiles"].items()},
                         {"SUCCEEDED": 1, "FAILED": 0, "PENDING": 0})
        self.assertEqual(len(self.object(f"{folder}/SUCCEEDED_0.json")), 3)


if __name__ == "__main__":
    unittest.main()
