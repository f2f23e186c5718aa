"""What an execution's history is written with: its events, payloads as JSON, and errors."""

import json
import threading

from ministack.services import stepfunctions as sfn

# The largest input or output of a state, in bytes of UTF-8: 256 KiB.
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
MAX_PAYLOAD = 262144

_events_lock = threading.Lock()


def add_event(execution, kind, details=None):
    """Appends one history event; ids stay unique when iterations run side by side."""
    with _events_lock:
        events = execution["events"]
        event = {"id": len(events) + 1, "previousEventId": len(events),
                 "type": kind, "timestamp": sfn.now_iso()}
        event.update(details or {})
        events.append(event)
    return event


def encode(value, what):
    """value as JSON; States.DataLimitExceeded if it is over 256 KiB."""
    text = json.dumps(value)
    if len(text) > MAX_PAYLOAD and len(json.dumps(value, ensure_ascii=False).encode()) > MAX_PAYLOAD:
        raise sfn._ExecutionError(
            "States.DataLimitExceeded",
            f"The {what} is over the maximum size of {MAX_PAYLOAD} bytes.")
    return text


def as_error(err):
    """err as an error of the state language."""
    if isinstance(err, sfn._ExecutionError):
        return err
    sfn.logger.error("state failed in the emulator", exc_info=err)
    return sfn._ExecutionError("States.Runtime", str(err))
