"""Installs redrives, and what else a faithful rehearsal needs, into ministack.

install() replaces functions of the emulator's Step Functions module by those
of this folder and mends a few of its S3 answers; it must run before the
emulator serves its first request. The emulator's files stay as they are.
"""

import functools
import json

from ministack.services import stepfunctions as sfn

import api
import connections
import engine
import events
import executions
import expressions
import faults
import functions
import gateway
import keys
import logs
import mapruns
import maps
import objects
import permissions
import servers
import signatures
from history import add_event
from scope import CURRENT, Scope


def install():
    """Extends the emulator in this process; a second call changes nothing."""
    if getattr(sfn, "_redrive_installed", False):
        return
    sfn._redrive_installed = True
    sfn._run_execution = api.run_started
    sfn._add_event = add_event
    engine.RUNNERS.update(Parallel=maps.run_parallel, Map=mapruns.run_map)
    sfn._scaled_sleep = scaled_sleep
    sfn._call_lambda = functools.partial(functions.call_lambda, sfn._call_lambda)
    sfn._stop_execution = api.stop_execution
    sfn._emit_execution_status_event = events.emit
    sfn._restore_state = functools.partial(restore_state, sfn._restore_state)
    for name in ("start_execution", "describe_execution", "list_executions",
                 "describe_state_machine_for_execution", "describe_map_run"):
        original = getattr(sfn, f"_{name}")
        setattr(sfn, f"_{name}", functools.partial(getattr(api, name), original))
    sfn.handle_request = functools.partial(handle_request, sfn.handle_request)
    connections.install()
    expressions.install()
    functions.install()
    gateway.install()
    keys.install()
    logs.install()
    objects.install()
    permissions.install()
    servers.install()
    signatures.install()
    faults.install()


async def handle_request(original, method, path, headers, body, query_params):
    """The service's entry: RedriveExecution here, all else as before."""
    if headers.get("x-amz-target", "").rpartition(".")[2] == "RedriveExecution":
        try:
            data = json.loads(body or b"{}")
        except json.JSONDecodeError:
            return sfn.error_response_json("SerializationException", "Invalid JSON", 400)
        return sfn._finalize_response(api.redrive_execution(data))
    return await original(method, path, headers, body, query_params)


def scaled_sleep(seconds):
    """Waits in a Wait state; a stop of the execution ends it."""
    (CURRENT.get() or Scope()).sleep(seconds * sfn._SFN_WAIT_SCALE)


def restore_state(original, data):
    """Loads saved executions; those that ran when the emulator stopped are failed and can be redriven."""
    original(data)
    for execution in sfn._executions.all_values():
        if execution["status"] == "PENDING_REDRIVE":
            execution["status"] = "FAILED"
        if execution.get("error") == "States.ServiceRestart" and execution["events"][-1]["type"] != "ExecutionFailed":
            add_event(execution, "ExecutionFailed", {"executionFailedEventDetails": {
                "error": execution["error"], "cause": execution["cause"]}})
    for run in sfn._map_runs.all_values():
        recount(run)


def recount(run):
    """Sets the counters of a Map Run that was under way from its children."""
    if run.get("status") != "RUNNING" or "_children" not in run:
        return
    run["status"] = "FAILED"
    run["stopDate"] = sfn.now_iso()
    statuses = {e["executionArn"]: e["status"] for e in sfn._executions.all_values() if e.get("mapRunArn") == run["mapRunArn"]}
    for counts in (run["itemCounts"], run["executionCounts"]):
        for key in ("pending", "running", "succeeded", "failed", "timedOut", "aborted", "pendingRedrive"):
            counts[key] = 0
        for arn in run["_children"]:
            counts[executions.COUNTER_OF[statuses[arn]] if arn in statuses else "pending"] += 1
