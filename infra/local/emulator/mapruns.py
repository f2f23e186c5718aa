"""Distributed Maps: a Map Run with child executions that can be redriven.

The run's record keeps the children by index; each child is an execution of
its own, with its own frame and history. A redrive of the parent keeps the
children that succeeded, takes up the others at the state where they stopped
(EXPRESS children: at their first state) and starts those that never ran, all
with the inputs of the first attempt.
"""

import copy
import json
import threading

from ministack.services import stepfunctions as sfn

import executions
import maps
import permissions
import results
from history import add_event, encode
from scope import Stopped

# Children at once if the Map sets no limit. AWS allows 10,000; a laptop does not.
DISTRIBUTED_LIMIT = 64

# Redrives of one Map Run: https://docs.aws.amazon.com/step-functions/latest/dg/redrive-map-run.html
MAX_REDRIVES = 1000

COUNTERS = ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total",
            "resultsWritten", "failuresNotRedrivable", "pendingRedrive")


class MapRun:
    """One attempt at a Map Run: the first, or a redrive of it."""

    def __init__(self, state, processor, frame, execution, scope, ctx):
        self.state, self.processor, self.frame = state, processor, frame
        self.execution, self.scope, self.ctx = execution, scope, ctx
        self.effective = sfn._apply_input_path(state, frame["input"], ctx)
        self.lock = threading.Lock()
        self.record = sfn._map_runs.get(frame.get("mapRunArn") or "")
        self.exceeded = False

    def allowed(self, action, resource):
        """Fails the state unless the role of the execution may make a request."""
        permissions.step_functions(self.ctx, action, resource, "States.Runtime")

    def option(self, field, default=0):
        """A number of the Map state: the field, or the value of its Path form."""
        if f"{field}Path" in self.state:
            return sfn._resolve_path_or_ctx(self.state[f"{field}Path"], self.effective, self.ctx)
        return self.state.get(field, default)

    def open(self):
        """Reads the items and makes the Map Run's record."""
        self.allowed("states:StartExecution", self.execution["stateMachineArn"])
        reader = self.state.get("ItemReader")
        items = (results.read_items(reader, self.effective, self.ctx) if reader
                 else maps.items_of(self.state, self.effective, self.frame["input"], self.ctx))
        if "ItemBatcher" in self.state:
            raise sfn._ExecutionError("States.Runtime", "ItemBatcher is not there in the local emulator")
        _, _, _, region, account, _, machine = self.execution["stateMachineArn"].split(":")[:7]
        label = self.state.get("Label") or sfn.new_uuid()
        arn = f"arn:aws:states:{region}:{account}:mapRun:{machine}/{label}:{sfn.new_uuid()}"
        zero = dict.fromkeys(COUNTERS, 0)
        self.record = {
            "mapRunArn": arn, "executionArn": self.execution["executionArn"], "status": "RUNNING",
            "startDate": sfn.now_iso(),
            "maxConcurrency": maps.concurrency(
                self.state, self.effective, self.frame["input"], self.ctx, DISTRIBUTED_LIMIT),
            "toleratedFailurePercentage": float(self.option("ToleratedFailurePercentage")),
            "toleratedFailureCount": int(self.option("ToleratedFailureCount")),
            "itemCounts": dict(zero, total=len(items), pending=len(items)),
            "executionCounts": dict(zero, total=len(items), pending=len(items)), "redriveCount": 0,
            "_stateMachineArn": f"arn:aws:states:{region}:{account}:stateMachine:{machine}/{label}",
            "_children": [None] * len(items), "_inputs": [self.child_input(i, v) for i, v in enumerate(items)],
        }
        add_event(self.execution, "MapStateStarted", {
            "mapStateStartedEventDetails": {"length": len(items)}})
        sfn._map_runs[arn] = self.record
        self.frame["mapRunArn"] = arn
        add_event(self.execution, "MapRunStarted", {"mapRunStartedEventDetails": {"mapRunArn": arn}})

    def child_input(self, index, item):
        """The input of a child as JSON; States.DataLimitExceeded if it is over 256 KiB."""
        own = {**self.ctx, "Map": {"Item": {"Index": index, "Value": item}}}
        value = maps.item_input(self.state, item, self.effective, self.frame["input"], own)
        return encode(value, "input of a child execution")

    def reopen(self):
        """Sets an earlier attempt's record running again."""
        run = self.record
        for arn in filter(None, run["_children"][:1]):
            self.allowed("states:RedriveExecution", arn)
        if run["redriveCount"] >= MAX_REDRIVES:
            raise sfn._ExecutionError("States.Runtime", f"A Map Run can be redriven {MAX_REDRIVES} times")
        run["redriveCount"] += 1
        run["redriveDate"] = sfn.now_iso()
        run["status"] = "RUNNING"
        run.pop("stopDate", None)
        for arn in run["_children"]:
            child = sfn._executions.get(arn) if arn else None
            if child and child["status"] != "SUCCEEDED":
                self.move(child["status"], "PENDING_REDRIVE")
                child["status"] = "PENDING_REDRIVE"
        add_event(self.execution, "MapRunRedriven", {"mapRunRedrivenEventDetails": {
            "mapRunArn": run["mapRunArn"], "redriveCount": run["redriveCount"]}})

    def move(self, before, after):
        """Moves one child from one counter to another; before is None for one that never ran."""
        with self.lock:
            for counts in (self.record["itemCounts"], self.record["executionCounts"]):
                counts[executions.COUNTER_OF[before] if before else "pending"] -= 1
                counts[executions.COUNTER_OF[after]] += 1

    def begin(self, index):
        """The child of an item, running: a new execution, or the earlier one redriven."""
        arn = self.record["_children"][index]
        child = sfn._executions.get(arn) if arn else None
        if child is None:
            child = executions.new_child(self.record, self.record["_inputs"][index], self.execution)
            self.record["_children"][index] = child["executionArn"]
            self.move(None, "RUNNING")
            return child
        self.move("PENDING_REDRIVE", "RUNNING")
        if self.processor.get("ProcessorConfig", {}).get("ExecutionType") == "EXPRESS":
            child["_frame"] = {"input": json.loads(child["input"]), "started": json.loads(child["input"])}
            child["events"] = child["events"][:1]
            child["status"] = "RUNNING"
        else:
            executions.reopen(child)
        return child

    def work(self, index, below):
        """Runs the child of one item to its end."""
        if below.stopped:
            return
        child = self.begin(index)
        with below.child() as scope:
            executions.run_child(child, self.processor, scope, self.ctx)
        self.move("RUNNING", child["status"])
        if child["status"] != "SUCCEEDED" and not below.stopped and self.is_exceeded():
            self.exceeded = True
            below.stop()

    def is_exceeded(self):
        """Whether more children failed than the Map tolerates."""
        counts, run = self.record["itemCounts"], self.record
        failed = counts["failed"] + counts["timedOut"]
        limits = []
        if {"ToleratedFailureCount", "ToleratedFailureCountPath"} & self.state.keys():
            limits.append(failed > run["toleratedFailureCount"])
        if {"ToleratedFailurePercentage", "ToleratedFailurePercentagePath"} & self.state.keys():
            limits.append(failed * 100 > run["toleratedFailurePercentage"] * counts["total"])
        return any(limits) if limits else failed > 0

    def close(self, status, error=None):
        """Ends the Map Run with its event in the parent's history."""
        self.record["status"], self.record["stopDate"] = status, sfn.now_iso()
        details = {"mapRunFailedEventDetails": {"error": error.error, "cause": error.cause}} if error else {}
        add_event(self.execution, f"MapRun{status.capitalize()}", details)
        add_event(self.execution, f"MapState{status.capitalize()}")

    def run(self):
        """Runs the children that have not succeeded; raises if too many fail."""
        run = self.record
        todo = [i for i, arn in enumerate(run["_children"])
                if not arn or sfn._executions[arn]["status"] != "SUCCEEDED"]
        with self.scope.child() as below:
            maps.run_pool(todo, run["maxConcurrency"], lambda i: self.work(i, below))
        for child in filter(None, run["_children"][:1]):
            self.allowed("states:DescribeExecution", child)
            if self.exceeded or self.scope.stopped:
                self.allowed("states:StopExecution", child)
        if self.scope.stopped:
            self.close("ABORTED")
            raise Stopped()
        written = results.write(self.state, run, self.effective, self.ctx)
        if self.exceeded or self.is_exceeded():
            error = sfn._ExecutionError("States.ExceedToleratedFailureThreshold",
                                        "The specified tolerated failure threshold was exceeded")
            self.close("FAILED", error)
            raise error
        self.close("SUCCEEDED")
        run.pop("_inputs", None)
        return written if written is not None else [self.output(arn) for arn in run["_children"]]

    @staticmethod
    def output(arn):
        """The output of a child, or None if it failed within the tolerated failures."""
        child = sfn._executions[arn]
        return json.loads(child["output"]) if child["status"] == "SUCCEEDED" else None


def run_distributed(state, processor, frame, execution, scope, ctx):
    """Runs a distributed Map state, or resumes the Map Run of an earlier attempt."""
    attempt = MapRun(state, processor, frame, execution, scope, copy.copy(ctx))
    # Inputs are dropped once all children are done: what fails after that
    # (an output over 256 KiB, a bad path) starts a new Map Run, as on AWS.
    if attempt.record is None or "_inputs" not in attempt.record:
        attempt.open()
    else:
        attempt.reopen()
    output = attempt.run()
    return maps.finish(state, frame["input"], output, ctx)


def run_map(state, frame, execution, scope, ctx):
    """Runs a Map state, inline or distributed."""
    processor = state.get("ItemProcessor") or state.get("Iterator") or {}
    if (processor.get("ProcessorConfig") or {}).get("Mode") == "DISTRIBUTED":
        return run_distributed(state, processor, frame, execution, scope, ctx)
    return maps.run_inline(state, processor, frame, execution, scope, ctx)
