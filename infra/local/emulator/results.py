"""What a distributed Map reads from S3 and writes to it: ItemReader and ResultWriter.

The reader honours VersionId. The writer leaves the files that AWS leaves under
`<Prefix>/<map run id>/`: manifest.json, SUCCEEDED_0.json, FAILED_0.json and
PENDING_0.json, and gives the state the documented output.
"""

import json

from ministack.services import s3
from ministack.services import stepfunctions as sfn

import permissions


def read_items(reader, effective, ctx):
    """The items of an ItemReader."""
    params = sfn._resolve_params_obj(reader.get("Parameters") or reader.get("Arguments") or {}, effective, ctx)
    config = reader.get("ReaderConfig") or {}
    action = "s3:GetObjectVersion" if params.get("VersionId") else "s3:GetObject"
    permissions.step_functions(ctx, action, f"arn:aws:s3:::{params.get('Bucket')}/{params.get('Key')}", "States.ItemReaderFailed")
    if not params.get("VersionId"):
        return as_list(sfn._read_map_items(reader, effective, ctx))
    body = s3._get_object_data(params.get("Bucket"), params.get("Key"), params["VersionId"])
    if body is None:
        raise sfn._ExecutionError(
            "States.ItemReaderFailed",
            f"The specified version does not exist. (Bucket: {params.get('Bucket')}, Key: {params.get('Key')})")
    items = as_list(sfn._parse_reader_items(body.decode("utf-8"), config))
    limit = config.get("MaxItems")
    if config.get("MaxItemsPath"):
        limit = sfn._resolve_path_or_ctx(config["MaxItemsPath"], effective, ctx)
    return items[:int(limit)] if limit else items


def as_list(items):
    """The items as a list; a JSON object counts as a list of its members."""
    if isinstance(items, dict):
        return [{"Key": key, "Value": value} for key, value in items.items()]
    if not isinstance(items, list):
        raise sfn._ExecutionError("States.ItemReaderFailed", "The items must be an array or an object")
    return items


def record_of(child):
    """One child as recorded in a result file."""
    return {
        "ExecutionArn": child["executionArn"], "Input": child["input"], "InputDetails": {"Included": True},
        "Name": child["name"], "Output": child.get("output"), "OutputDetails": {"Included": True},
        "Error": child.get("error"), "Cause": child.get("cause"), "RedriveCount": child.get("redriveCount", 0),
        "StartDate": child["startDate"], "StateMachineArn": child["stateMachineArn"],
        "Status": child["status"], "StopDate": child.get("stopDate"),
    }


def write(state, run, effective, ctx):
    """Writes a Map Run's result files; returns the state's result, or None without a ResultWriter."""
    writer = state.get("ResultWriter") or {}
    if not writer.get("Resource"):
        return None
    params = sfn._resolve_params_obj(writer.get("Parameters") or writer.get("Arguments") or {}, effective, ctx)
    bucket, prefix = params.get("Bucket"), str(params.get("Prefix") or "").strip("/")
    folder = "/".join(part for part in (prefix, run["mapRunArn"].rpartition(":")[2]) if part)
    groups = {"SUCCEEDED": [], "FAILED": [], "PENDING": []}
    for index, arn in enumerate(run["_children"]):
        if arn is None:
            groups["PENDING"].append({"Input": run["_inputs"][index], "Status": "PENDING"})
            continue
        child = sfn._executions[arn]
        groups["SUCCEEDED" if child["status"] == "SUCCEEDED" else "FAILED"].append(record_of(child))
    files = {}
    for name, records in groups.items():
        files[name] = []
        if records:
            body = json.dumps([{k: v for k, v in r.items() if v is not None} for r in records]).encode()
            key = f"{folder}/{name}_0.json"
            put(bucket, key, body, ctx)
            files[name] = [{"Key": key, "Size": len(body)}]
    key = f"{folder}/manifest.json"
    put(bucket, key, json.dumps({
        "DestinationBucket": bucket, "MapRunArn": run["mapRunArn"], "ResultFiles": files}).encode(), ctx)
    for counts in (run["itemCounts"], run["executionCounts"]):
        counts["resultsWritten"] = counts["succeeded"]
    return {"MapRunArn": run["mapRunArn"], "ResultWriterDetails": {"Bucket": bucket, "Key": key}}


def put(bucket, key, body, ctx):
    """Writes one object; States.ResultWriterFailed if the role may not, or the bucket refuses it."""
    permissions.step_functions(ctx, "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}", "States.ResultWriterFailed")
    status, _, answer = s3._put_object(bucket, key, body, {"content-type": "application/json"})
    if status != 200:
        reason = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
        raise sfn._ExecutionError("States.ResultWriterFailed", f"{bucket}/{key}: {reason}")
