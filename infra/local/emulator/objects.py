"""Mends in the emulator's S3: ranges, memory, checksums, events.

What differs from S3 in ministack 1.5.33 and counts here: a GET of a version
ignores the Range header; a ranged GET of an object on disk reads all of it
first; versions on disk stay in memory as well; CRC-64/NVME is computed a byte
at a time in Python; "Object Created" events lack the version.
"""

import contextvars
import functools
import json
import os

from awscrt import checksums
from ministack.services import eventbridge, s3

import files

# True while a GET is being answered that needs no object read as a whole.
_UNREAD = contextvars.ContextVar("unread", default=False)

# The version that the event about to be dispatched is about.
_VERSION = contextvars.ContextVar("version", default=None)


def install():
    """Replaces the emulator's readers by those of this module."""
    s3._get_object = functools.partial(get_object, s3._get_object)
    s3._read_body = functools.partial(read_body, s3._read_body)
    s3._version_body = functools.partial(version_body, s3._version_body)
    s3._persist_object = functools.partial(persist_object, s3._persist_object)
    s3._crc64nvme = checksums.crc64nvme
    s3._crc32c = checksums.crc32c
    s3._fire_s3_event = functools.partial(fire_event, s3._fire_s3_event)
    eventbridge._dispatch_event = functools.partial(dispatch_event, eventbridge._dispatch_event)


def get_object(original, bucket_name, key, headers, query_params=None):
    """GetObject; a Range is honoured for versions too, and the front reads files itself."""
    if not headers.get("range") and files.HAND_OVER not in headers:
        return original(bucket_name, key, headers, query_params)
    token = _UNREAD.set(True)
    try:
        answer = original(bucket_name, key, headers, query_params)
    finally:
        _UNREAD.reset(token)
    return files.answered(headers, ranged(headers.get("range"), bucket_name, key, answer))


def ranged(wanted, bucket_name, key, whole):
    """The wanted range of an answer, if that is a whole object."""
    status, answer, body = whole
    if not wanted or status != 200 or "Content-Range" in answer:
        return whole
    size = int(answer["Content-Length"])
    part = s3._parse_range(wanted, size)
    if part is None:
        return (416, {"Content-Type": "application/xml", "Content-Range": f"bytes */{size}"},
                s3._xml_body(s3._range_error_xml(bucket_name, key)))
    start, end = part
    answer = {k: v for k, v in answer.items() if not k.lower().startswith("x-amz-checksum")}
    answer["Content-Length"] = str(end - start + 1)
    answer["Content-Range"] = f"bytes {start}-{end}/{size}"
    return 206, answer, body[start:end + 1]


def read_body(original, bucket_name, key, obj):
    """The content of the current object; not read yet if not all of it is needed here."""
    if _UNREAD.get() and obj.get("body") is None and s3.S3_PERSIST:
        path = s3._object_disk_path(bucket_name, key)
        if path is not None and os.path.isfile(path):
            return files.FileBody(path)
    return original(bucket_name, key, obj)


def version_body(original, bucket, bucket_name, key, version):
    """The content of a version; not read yet if not all of it is needed here."""
    if _UNREAD.get() and version.get("data") is None and s3.S3_PERSIST:
        path = s3._version_disk_path(bucket_name, key, version["version_id"])
        if path is not None and os.path.isfile(path):
            return files.FileBody(path)
    return original(bucket, bucket_name, key, version)


def persist_object(original, bucket_name, key, obj):
    """Writes an object to disk; its version then needs no copy in memory."""
    original(bucket_name, key, obj)
    if not isinstance(obj, dict) or obj.get("body") is not None:
        return
    for version in s3._object_versions.get((bucket_name, key), []):
        if version["version_id"] == (obj.get("version_id") or "null"):
            version["data"] = None


def fire_event(original, *args, **kwargs):
    """Sends the events of one change of an object."""
    token = _VERSION.set(kwargs.get("version_id"))
    try:
        original(*args, **kwargs)
    finally:
        _VERSION.reset(token)


def dispatch_event(original, event, *rest):
    """Hands an event to the rules; an S3 event gets the version-id that AWS puts there."""
    if _VERSION.get() and event.get("Source") == "aws.s3":
        detail = json.loads(event["Detail"])
        detail["object"].setdefault("version-id", _VERSION.get())
        event = {**event, "Detail": json.dumps(detail)}
    return original(event, *rest)
