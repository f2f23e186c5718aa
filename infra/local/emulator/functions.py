"""Mends in the emulator's Lambda: the name of a throttle, 50 ms a call, lost lines of the log.

Two waits made every call of a warm function take 50 ms: the kernel's for the
acknowledgement of the header (Nagle's algorithm), and the emulator's for a
first line of the log.

The emulator kept the last 10,000 lines of an invocation, and of those only what
it had read a quarter of a second after the end. CloudWatch Logs keeps them all,
so here the end of an invocation takes every line that was written before it.

Of every environment that started, the emulator hashed the whole package to find
the folder where that is unpacked, and it unpacked a package at the function's
first invocation. AWS does this once, outside of what a function's time is.
"""

import fcntl
import functools
import os
import select
import struct
import termios
import threading
import time
import zipfile

from ministack.core import lambda_runtime
from ministack.services import lambda_svc
from ministack.services import stepfunctions as sfn

PIPE_BYTES = 65536  # what is read at a time; a pipe of Linux holds as much
POLL_SECONDS = 0.001
MOST_PACKAGES = 32  # whose folder is remembered; the application has fewer functions


def install():
    """Shortens the waits of the environments for custom runtimes, and keeps all lines of their logs."""
    lambda_runtime._PROVIDED_LOG_MAX_LINES = 0  # of queue.Queue: no limit
    worker = lambda_runtime.ProvidedWorker
    worker._build_handler_class = functools.partialmethod(handler_class, worker._build_handler_class)
    worker._pump_output = pump
    worker._drain_stderr_bounded = drain
    unpacked = functools.lru_cache(MOST_PACKAGES)(lambda_svc._provided_runtime_code_dir)
    lambda_svc._provided_runtime_code_dir = functools.partial(code_folder, unpacked)
    lambda_svc.invalidate_worker = functools.partial(deployed, lambda_svc.invalidate_worker)


def code_folder(unpacked, package):
    """The folder where a package is unpacked; unpacked remembers it, the emulator's reset removes it."""
    folder = unpacked(package)
    if not os.path.isdir(folder):
        unpacked.cache_clear()
        folder = unpacked(package)
    return folder


def deployed(original, name, *args, **more):
    """A function has new code or settings: its environments end, and its package is unpacked."""
    answer = original(name, *args, **more)
    function = lambda_svc._functions.get(name) or {}
    if function.get("code_zip") and function["config"].get("Runtime", "").startswith("provided"):
        try:
            lambda_svc._provided_runtime_code_dir(function["code_zip"])
        except (OSError, zipfile.BadZipFile):
            pass  # the first invocation tries again, and tells
    return answer


def handler_class(worker, original, *args):
    """The handler of the Lambda runtime API, which sends small packets at once."""
    handler = original(worker, *args)
    handler.disable_nagle_algorithm = True
    return handler


class Output:
    """The pipe into which an environment writes its log.

    A line is either in the pipe or in the queue whenever the lock is free, so
    an empty pipe means that the queue has all that was written.
    """

    def __init__(self, stream, lines):
        self._stream, self._lines, self._rest = stream, lines, b""
        self._lock = threading.Lock()

    def pump(self):
        """Moves lines from the pipe to the queue until the environment ends."""
        while True:
            select.select([self._stream], [], [])
            with self._lock:
                chunk = os.read(self._stream.fileno(), PIPE_BYTES)
                *whole, self._rest = (self._rest + chunk).split(b"\n")
                if not chunk:
                    whole = [self._rest] if self._rest else []
                for line in whole:
                    self._lines.put_nowait(line.decode("utf-8", errors="replace").rstrip("\r"))
                if not chunk:
                    self._stream.close()
                    return

    def empty(self):
        """Returns whether all that was written is in the queue."""
        with self._lock:
            if self._stream.closed:
                return True
            return struct.unpack("i", fcntl.ioctl(self._stream, termios.FIONREAD, b"\0" * 4))[0] == 0


def pump(worker, stream, lines):
    """Reads the output of an environment for its whole life."""
    worker._output = Output(stream, lines)
    worker._output.pump()


def drain(worker, **_limits):
    """The log lines of the invocation that just ended, all of them."""
    output = getattr(worker, "_output", None)
    while output is not None and not output.empty():
        time.sleep(POLL_SECONDS)
    return worker._drain_stderr()


def call_lambda(original, func_ref, event):
    """Invokes a function; a throttle has the name that AWS gives it in Step Functions."""
    try:
        return original(func_ref, event)
    except sfn._ExecutionError as err:
        if err.error == "Lambda.Unknown" and '"__type": "TooManyRequestsException"' in err.cause:
            raise sfn._ExecutionError("Lambda.TooManyRequestsException", err.cause) from err
        raise
