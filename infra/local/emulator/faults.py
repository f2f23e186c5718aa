"""Faults on demand, from outside the product, for `make chaos`.

One fault is armed at a time, by actions that this module adds to the Step
Functions endpoint (ArmFault, ReleaseFault, DisarmFault, DescribeFault,
KillFunction). It strikes a number of times, each time at the invocation of one
function of a state machine or at one of the requests that this function makes:

fail          the task fails before the function is called
lose          the function is called, then its answer is lost and the task fails
late          the task times out at once, while the function goes on
twice         the function is called twice at the same time with the same event
hold          the call waits until the fault is released
kill_put      the process dies while S3 gets its PUT; of two the second is saved
hold_put      the function's PUT to S3 waits until the fault is released
refuse_s3     S3 answers the function with status 500
refuse_kms    KMS refuses the function's requests

A request tells which function it comes from, because the SDK puts the
application's name in its User-Agent, and the environment of every function is
given one: the function's logical id and the port of its runtime API.
"""

import asyncio
import contextvars
import functools
import json
import re
import threading

import psutil
from ministack.core import lambda_runtime
from ministack.core.responses import error_response_json, error_response_xml, json_response
from ministack.services import kms, lambda_svc, s3
from ministack.services import stepfunctions as sfn

LOGICAL_ID = re.compile(r"([A-Za-z]+Function)(-|$)")
SENDER = re.compile(r"\bapp/([A-Za-z]+Function)\.(\d+)")

AT_CALLS = ("fail", "lose", "late", "twice", "hold")
AT_REQUESTS = ("kill_put", "hold_put", "refuse_s3", "refuse_kms")


class Fault:
    """An armed fault: which function, which of its events, how often; how often it struck."""

    def __init__(self, kind, function, where=None, times=1):
        self.kind, self.function, self.where, self.left = kind, function, where or {}, times
        self.struck = self.held = 0
        self.released = threading.Event()
        self._lock = threading.Lock()

    def strikes(self, kinds, function, event=None):
        """Whether it strikes now: the number of this stroke, from 1, or 0."""
        with self._lock:
            if self.kind not in kinds or function != self.function or self.left <= 0:
                return 0
            if event is not None and any(event.get(name) != value for name, value in self.where.items()):
                return 0
            self.left -= 1
            self.struck += 1
            return self.struck

    def hold(self):
        """Waits for the release."""
        self._count(1)
        self.released.wait()
        self._count(-1)

    def _count(self, change):
        with self._lock:
            self.held += change


class Chaos:
    """The fault that is armed, and how many functions run for state machines."""

    def __init__(self):
        self.fault = None
        self.running = 0
        self._lock = threading.Lock()

    def enter(self, change):
        """Counts a call that begins (1) or ended (-1)."""
        with self._lock:
            self.running += change


CHAOS = Chaos()


def install():
    """Wraps the code that starts functions and answers their requests."""
    sfn._call_lambda = functools.partial(call_lambda, sfn._call_lambda)
    sfn.handle_request = functools.partial(handle_request, sfn.handle_request)
    s3.handle_request = functools.partial(s3_request, s3.handle_request)
    kms.handle_request = functools.partial(kms_request, kms.handle_request)
    lambda_svc._provided_worker_env = functools.partial(worker_environment, lambda_svc._provided_worker_env)


def worker_environment(original, config, code_dir, port):
    """The environment of a function's process, with the name that its requests carry."""
    name = logical_id(config.get("FunctionName", ""))
    return {**original(config, code_dir, port), **({"AWS_SDK_UA_APP_ID": f"{name}.{port}"} if name else {})}


def logical_id(reference):
    """The template's id in a function's name or ARN, such as StageFunction; None if there is none."""
    found = LOGICAL_ID.search(reference)
    return found and found.group(1)


# ------------------------------------------------------------------- calls

def call_lambda(original, func_ref, event):
    """Invokes a function for a task, unless the armed fault strikes here."""
    fault = CHAOS.fault
    if fault is None or not fault.strikes(AT_CALLS, logical_id(func_ref), event):
        return counted(original, func_ref, event)
    if fault.kind == "fail":
        raise failure("the call")
    if fault.kind == "lose":
        counted(original, func_ref, event)
        raise failure("the answer")
    if fault.kind == "late":
        beside(original, func_ref, event)
        raise sfn._ExecutionError("States.Timeout", "The task timed out while its function goes on (a fault of make chaos)")
    if fault.kind == "hold":
        fault.hold()
        return counted(original, func_ref, event)
    other, _ = beside(original, func_ref, event)
    try:
        return counted(original, func_ref, event)
    finally:
        other.join()


def counted(original, func_ref, event):
    """Invokes a function and counts it as running."""
    CHAOS.enter(1)
    try:
        return original(func_ref, event)
    finally:
        CHAOS.enter(-1)


def beside(original, func_ref, event):
    """Invokes a function in a thread of its own; returns the thread and where its error will be."""
    errors = []

    def work():
        try:
            original(func_ref, event)
        except sfn._ExecutionError as err:  # nobody waits for the answer
            errors.append(err)
        finally:
            CHAOS.enter(-1)

    CHAOS.enter(1)
    thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)
    thread.start()
    return thread, errors


def failure(what):
    """An error that the state machine does not retry."""
    text = f"{what} was lost (a fault of make chaos)"
    return sfn._ExecutionError("Unexpected", json.dumps({"errorType": "Unexpected", "errorMessage": text}))


# ---------------------------------------------------------------- requests

def sender(headers):
    """The function that a request comes from and its runtime's port, or (None, 0)."""
    found = SENDER.search(headers.get("user-agent", ""))
    return (found.group(1), int(found.group(2))) if found else (None, 0)


async def s3_request(original, method, path, headers, *rest, **more):
    """The entry of S3."""
    fault, (function, port) = CHAOS.fault, sender(headers)
    if fault is None or function is None:
        return await original(method, path, headers, *rest, **more)
    if fault.strikes(("refuse_s3",), function):
        return error_response_xml("InternalError", "A fault of make chaos.", 500)
    if method == "PUT" and fault.strikes(("hold_put",), function):
        await asyncio.to_thread(fault.hold)
    stroke = fault.strikes(("kill_put",), function) if method == "PUT" else 0
    if stroke % 2 == 1:
        await asyncio.to_thread(kill, lambda process: process.runtime == port)
        return error_response_xml("InternalError", "Nobody hears this.", 500)
    answer = await original(method, path, headers, *rest, **more)
    if stroke:
        await asyncio.to_thread(kill, lambda process: process.runtime == port)
    return answer


async def kms_request(original, method, path, headers, *rest, **more):
    """The entry of KMS."""
    fault, (function, _) = CHAOS.fault, sender(headers)
    if fault is not None and function is not None and fault.strikes(("refuse_kms",), function):
        return error_response_json("AccessDeniedException", "A fault of make chaos.", 400)
    return await original(method, path, headers, *rest, **more)


class Process:
    """A function's process: whose it is, and the port of its runtime API."""

    def __init__(self, worker):
        self.function = logical_id(worker.func_name)
        self.handle, self.runtime = worker._proc, worker._server.server_address[1]

    def has_connection(self, port, to):
        """Whether it has a connection from a local port to another (several may share the local one)."""
        try:
            return any(c.raddr and (c.laddr.port, c.raddr.port) == (port, to)
                       for c in psutil.Process(self.handle.pid).net_connections("tcp"))
        except psutil.Error:
            return False


def processes():
    """The functions' processes that run."""
    workers = [worker for pool in list(lambda_runtime._workers.values()) for worker in list(pool)]
    return [Process(w) for w in workers
            if getattr(w, "_server", None) is not None and w._proc is not None and w._proc.poll() is None]


def kill(chosen):
    """Kills the chosen processes with SIGKILL and waits for their end; returns how many there were."""
    killed = [process for process in processes() if chosen(process)]
    for process in killed:
        process.handle.kill()
        process.handle.wait()
    return len(killed)


# ----------------------------------------------------------------- actions

async def handle_request(original, method, path, headers, body, query_params):
    """The entry of Step Functions: the actions of this module here, all else as before."""
    action = ACTIONS.get(headers.get("x-amz-target", "").rpartition(".")[2])
    if action is None:
        return await original(method, path, headers, body, query_params)
    return json_response(await asyncio.to_thread(action, json.loads(body or b"{}")))


def arm(data):
    """ArmFault: {kind, function, where, times}; it takes the place of the one before."""
    fault = Fault(data["kind"], data["function"], data.get("where"), data.get("times", 1))
    disarm({})
    CHAOS.fault = fault
    return describe({})


def release(_):
    """ReleaseFault: held calls continue."""
    if CHAOS.fault is not None:
        CHAOS.fault.released.set()
    return describe({})


def disarm(_):
    """DisarmFault: no further faults; held calls continue."""
    fault = CHAOS.fault
    if fault is not None:
        fault.left = 0
        fault.released.set()
    CHAOS.fault = None
    return describe({})


def describe(_):
    """DescribeFault: strokes so far, calls or requests that are held, functions that run."""
    fault = CHAOS.fault
    return {"struck": fault.struck if fault else 0, "held": fault.held if fault else 0, "running": CHAOS.running}


def kill_function(data):
    """KillFunction: kills the process that has a connection between two ports, or all of a function."""
    if "function" in data:
        return {"killed": kill(lambda process: process.function == data["function"])}
    return {"killed": kill(lambda process: process.has_connection(data["port"], data["to"]))}


ACTIONS = {"ArmFault": arm, "ReleaseFault": release, "DisarmFault": disarm, "DescribeFault": describe,
           "KillFunction": kill_function}
