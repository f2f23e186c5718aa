"""Mends FilterLogEvents: it had no further page after its first 10,000 events.

The token is the place of the next event in the order of time, as AWS documents
nothing about its form. The emulator's own helpers choose and order the events.
"""

import functools
import heapq
import itertools

from ministack.services import cloudwatch_logs as logs

MOST_EVENTS = 10000  # of one page (CloudWatch Logs API Reference, "FilterLogEvents")


def install():
    """Lets FilterLogEvents go on after its first page."""
    logs._filter_log_events = functools.partial(filter_log_events, logs._filter_log_events)


def filter_log_events(original, data):
    """The matching events of a log group from the token on, and the next token if there are more."""
    group = logs._resolve_log_group_name(data)
    token = data.get("nextToken") or "0"
    if group not in logs._log_groups:
        return original(data)
    if not token.isdigit():
        return logs.error_response_json("InvalidParameterException", "The specified nextToken is invalid.", 400)
    streams = logs._log_groups[group]["streams"]
    with logs._log_events_lock:
        events = [[(event, name) for event in streams[name]["events"] if between(event["timestamp"], data)]
                  for name in data.get("logStreamNames") or list(streams) if name in streams]
    matches = logs._compile_filter_pattern(data.get("filterPattern", ""))
    merged = heapq.merge(*events, key=lambda each: (each[0]["timestamp"], each[0].get("ingestionTime", 0)))
    found = ({**event, "logStreamName": name} for event, name in merged if matches(event.get("message", "")))
    start, limit = int(token), min(data.get("limit", MOST_EVENTS), MOST_EVENTS)
    page = list(itertools.islice(found, start, start + limit + 1))
    answer = {"events": page[:limit], "searchedLogStreams": []}
    if len(page) > limit:
        answer["nextToken"] = str(start + limit)
    return logs.json_response(answer)


def between(timestamp, data):
    """Returns whether a time is in the range that is asked for, both ends included."""
    return data.get("startTime", timestamp) <= timestamp <= data.get("endTime", timestamp)
