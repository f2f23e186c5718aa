"""Mends in the emulator's Lambda: the name of a throttle, 50 ms a call.

Two waits made every call of a warm function take 50 ms: the kernel's for the
acknowledgement of the header (Nagle's algorithm), and the emulator's for a
first line of the log.
"""

import functools

from ministack.core import lambda_runtime
from ministack.services import stepfunctions as sfn

# Seconds that the end of an invocation waits for a first line of its log; a
# line that comes later is shown with the next invocation.
FIRST_LINE_SECONDS = 0.01


def install():
    """Shortens the waits of the environments for custom runtimes."""
    worker = lambda_runtime.ProvidedWorker
    worker._build_handler_class = functools.partialmethod(handler_class, worker._build_handler_class)
    worker._drain_stderr_bounded = functools.partialmethod(drain, worker._drain_stderr_bounded)


def handler_class(worker, original, *args):
    """The handler of the Lambda runtime API, which sends small packets at once."""
    handler = original(worker, *args)
    handler.disable_nagle_algorithm = True
    return handler


def drain(worker, original, first_line_wait=FIRST_LINE_SECONDS, **limits):
    """The log lines of the invocation that just ended."""
    return original(worker, first_line_wait=min(first_line_wait, FIRST_LINE_SECONDS), **limits)


def call_lambda(original, func_ref, event):
    """Invokes a function; a throttle has the name that AWS gives it in Step Functions."""
    try:
        return original(func_ref, event)
    except sfn._ExecutionError as err:
        if err.error == "Lambda.Unknown" and '"__type": "TooManyRequestsException"' in err.cause:
            raise sfn._ExecutionError("Lambda.TooManyRequestsException", err.cause) from err
        raise
