"""Executions and their children: starting, ending, stopping, running again.

A record that the emulator keeps gets these members here: "_definition" (what
it started with, which a redrive keeps), "_frame" (see engine), "redriveCount",
"redriveDate", "_tokens" (of redrives). The threads and scopes of what runs now
are in a Registry, which is not saved.
"""

import contextvars
import json
import threading

from ministack.services import stepfunctions as sfn

import engine
import events
from history import add_event, as_error, encode
from redrives import redrive_fields
from scope import Scope, Stopped

# The counter of a Map Run that a child's status stands in.
COUNTER_OF = {"SUCCEEDED": "succeeded", "FAILED": "failed", "TIMED_OUT": "timedOut", "ABORTED": "aborted",
              "RUNNING": "running", "PENDING_REDRIVE": "pendingRedrive"}

# Changes of an execution's status happen one at a time.
LOCK = threading.RLock()


class Registry:
    """Scopes and threads of the executions that run in this process."""

    def __init__(self):
        self._scopes = {}
        self._threads = {}

    def scope(self, arn):
        """The scope of a running execution, or None."""
        return self._scopes.get(arn)

    def enter(self, arn, scope, thread=None):
        """Notes that arn runs under scope from now on, in thread if it is one of its own."""
        self._scopes[arn] = scope
        if thread is not None:
            self._threads[arn] = thread

    def leave(self, arn, scope):
        """Forgets scope, unless a later attempt of arn already took its place."""
        if self._scopes.get(arn) is scope:
            del self._scopes[arn]

    def launch(self, arn, scope):
        """Runs an execution in a thread that first waits for the end of its earlier attempt."""
        earlier = self._threads.get(arn)

        def work():
            if earlier is not None:
                earlier.join()
            run(arn, scope)

        thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)
        self.enter(arn, scope, thread)
        thread.start()


REGISTRY = Registry()


def run(arn, scope=None):
    """Runs an execution from its frame to its end, in the calling thread.

    Without a scope it is the first attempt: then it runs only if it was not
    stopped, and perhaps redriven, before its thread came up.
    """
    execution = sfn._executions.get(arn)
    if execution is None:
        return
    if scope is None:
        with LOCK:
            if execution["status"] != "RUNNING" or execution.get("redriveCount"):
                return
            scope = Scope()
            REGISTRY.enter(arn, scope, threading.current_thread())
    timer = None
    try:
        definition, machine = prepare(execution)
        timer = start_timer(definition, execution, scope)
        output = engine.run_states(definition.get("States", {}), definition.get("StartAt"), execution["_frame"],
                                   execution, scope, engine.context_for(execution, definition, machine))
        end(execution, scope, "SUCCEEDED", output=encode(output, "output of the execution"))
    except Stopped:
        end(execution, scope, scope.outcome, scope.error, scope.cause)
    except Exception as err:
        failure = as_error(err)
        end(execution, scope, "FAILED", failure.error, failure.cause)
    finally:
        if timer is not None:
            timer.cancel()
        REGISTRY.leave(arn, scope)


def prepare(execution):
    """The definition and state machine of an execution; gives a new one its frame."""
    machine = sfn._state_machines.get(execution["stateMachineArn"]) or {}
    text = execution.get("_definition") or machine.get("definition")
    if not text:
        raise sfn._ExecutionError("StateMachineDeleted", "State machine no longer exists")
    execution["_definition"] = text
    if "_frame" not in execution:
        try:
            value = json.loads(execution.get("input") or "{}")
        except json.JSONDecodeError as err:
            raise sfn._ExecutionError("States.Runtime", "The input is not valid JSON") from err
        execution["_frame"] = {"input": value, "started": value}
    return json.loads(text), machine


def start_timer(definition, execution, scope):
    """Starts the clock of the state machine's TimeoutSeconds, if it has one; each redrive starts it anew."""
    seconds = definition.get("TimeoutSeconds")
    if not seconds:
        return None
    timer = threading.Timer(seconds, scope.stop, args=("TIMED_OUT", "States.Timeout", ""))
    timer.daemon = True
    timer.start()
    return timer


EVENT_OF = {"SUCCEEDED": ("ExecutionSucceeded", "executionSucceededEventDetails"),
            "FAILED": ("ExecutionFailed", "executionFailedEventDetails"),
            "ABORTED": ("ExecutionAborted", "executionAbortedEventDetails"),
            "TIMED_OUT": ("ExecutionTimedOut", "executionTimedOutEventDetails")}


def end(execution, scope, status, error=None, cause=None, output=None):
    """Writes the end of an execution once; a later attempt's state is never touched."""
    with LOCK:
        current = REGISTRY.scope(execution["executionArn"])
        if execution["status"] != "RUNNING" or current not in (scope, None):
            return
        execution.update(status=status, stopDate=sfn.now_iso(), output=output, error=error, cause=cause)
        kind, key = EVENT_OF[status]
        details = {"output": output} if status == "SUCCEEDED" else {
            k: v for k, v in (("error", error), ("cause", cause)) if v is not None}
        add_event(execution, kind, {key: details})
        detail = events.detail_of(execution, redrive_fields(execution))
    if not execution.get("mapRunArn") and not execution.get("sync"):
        events.publish(detail)


def stop(execution, error, cause):
    """Aborts a running execution and all that runs below it; returns the stop date."""
    scope = REGISTRY.scope(execution["executionArn"])
    end(execution, scope, "ABORTED", error, cause)
    if scope is not None:
        scope.stop("ABORTED", error, cause)
    return execution["stopDate"]


def new_child(run, text, parent):
    """A new child execution of a Map Run, running."""
    started = sfn.now_iso()
    _, _, _, region, account, _, machine = run["_stateMachineArn"].split(":")
    name = sfn.new_uuid()
    child = {
        "executionArn": f"arn:aws:states:{region}:{account}:execution:{machine}:{name}",
        "stateMachineArn": run["_stateMachineArn"], "name": name, "status": "RUNNING", "startDate": started,
        "stopDate": None, "input": text, "inputDetails": {"included": True}, "output": None,
        "outputDetails": {"included": True}, "mapRunArn": run["mapRunArn"], "redriveCount": 0,
        "testCase": parent.get("testCase"), "mockAttempts": {},
        "_frame": {"input": json.loads(text), "started": json.loads(text)},
        "events": [{"id": 1, "previousEventId": 0, "type": "ExecutionStarted", "timestamp": started,
                    "executionStartedEventDetails": {"input": text}}],
    }
    sfn._executions[child["executionArn"]] = child
    return child


def run_child(child, processor, scope, ctx):
    """Runs a child execution in the calling thread and writes its end."""
    arn = child["executionArn"]
    REGISTRY.enter(arn, scope)
    own = engine.context_for(child, {"QueryLanguage": ctx.get("QueryLanguage", "JSONPath")}, {
        "roleArn": ctx["Execution"].get("RoleArn", ""), "name": arn.split(":")[6]})
    try:
        output = engine.run_states(processor.get("States", {}), processor.get("StartAt"), child["_frame"],
                                   child, scope, own)
        end(child, scope, "SUCCEEDED", output=encode(output, "output of the execution"))
    except Stopped:
        end(child, scope, "ABORTED", scope.error, scope.cause)
    except Exception as err:
        failure = as_error(err)
        end(child, scope, "FAILED", failure.error, failure.cause)
    finally:
        REGISTRY.leave(arn, scope)


def reopen(execution):
    """Sets an ended execution running again with its ExecutionRedriven event."""
    execution["redriveCount"] = execution.get("redriveCount", 0) + 1
    execution["redriveDate"] = sfn.now_iso()
    execution.update(status="RUNNING", stopDate=None, output=None, error=None, cause=None)
    add_event(execution, "ExecutionRedriven", {
        "executionRedrivenEventDetails": {"redriveCount": execution["redriveCount"]}})
