"""Stopping work that is under way.

An execution, each distributed child of it and each inline Map has a Scope.
Stopping a scope stops everything below it: waits end at once, no further
state is entered, and the result of a task that is still running is ignored,
as on AWS, where a Lambda function outlives the execution that called it.
"""

import contextlib
import contextvars
import threading

# The scope of the state that this thread is running; the Wait state reads it.
CURRENT = contextvars.ContextVar("scope", default=None)


class Stopped(Exception):
    """Raised inside a scope that was stopped; never seen by Retry or Catch."""


class Scope:
    """A node in the tree of things that can be stopped.

    outcome, error and cause say how it was stopped ("ABORTED" or
    "TIMED_OUT"); outcome is None while it runs.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._children = set()
        self._watchers = set()
        self.outcome = None
        self.error = None
        self.cause = None

    @property
    def stopped(self):
        """Whether stop was called here or above."""
        return self._event.is_set()

    def stop(self, outcome="ABORTED", error=None, cause=None):
        """Stops this scope and all below it; the first call decides the outcome."""
        with self._lock:
            if self._event.is_set():
                return
            self.outcome, self.error, self.cause = outcome, error, cause
            self._event.set()
            children, watchers = list(self._children), list(self._watchers)
        for event in watchers:
            event.set()
        for child in children:
            child.stop()

    def check(self):
        """Raises Stopped if the scope was stopped."""
        if self._event.is_set():
            raise Stopped()

    def sleep(self, seconds):
        """Waits that long, or raises Stopped as soon as the scope is stopped."""
        if seconds > 0:
            self._event.wait(seconds)
        self.check()

    @contextlib.contextmanager
    def child(self):
        """A scope below this one, for the length of a with block."""
        below = Scope()
        with self._lock:
            self._children.add(below)
            stopped = self._event.is_set()
        if stopped:
            below.stop()
        try:
            yield below
        finally:
            with self._lock:
                self._children.discard(below)

    def wait(self, event, timeout=None):
        """Waits for event; False after timeout seconds, Stopped if stopped meanwhile.

        A stop sets the event too: whoever waits for it wakes up.
        """
        with self._lock:
            self._watchers.add(event)
            stopped = self._event.is_set()
        try:
            done = stopped or event.wait(timeout)
        finally:
            with self._lock:
                self._watchers.discard(event)
        self.check()
        return done
