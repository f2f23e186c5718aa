"""The Step Functions API calls that know about redrives.

RedriveExecution is new; StartExecution, StopExecution, DescribeExecution,
ListExecutions and DescribeStateMachineForExecution answer as the API reference
says where the emulator alone would not.
"""

import json
import re
import time

from ministack.core.responses import error_response_json, json_response
from ministack.services import stepfunctions as sfn

import events
import executions
from executions import LOCK, REGISTRY
from redrives import redrive_fields, redrive_status
from scope import Scope

ARN = re.compile(r"arn:aws[\w-]*:states:[\w-]+:\d{12}:(execution|express):[^:]+:[^:]+(:[^:]+)?")
NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}")
TOKEN = re.compile(r"[!-~]{1,64}")

# Tokens of redrives that are remembered, and for how long in seconds:
# https://docs.aws.amazon.com/step-functions/latest/apireference/API_RedriveExecution.html
TOKENS_KEPT = 10
TOKEN_SECONDS = 15 * 60

# Open executions of an account and Region.
MAX_OPEN = 1_000_000


def redrive_execution(data, now=time.time):
    """RedriveExecution: takes a failed, aborted or timed out execution up where it stopped."""
    arn, token = data.get("executionArn") or "", data.get("clientToken")
    if not ARN.fullmatch(arn):
        return error_response_json("InvalidArn", f"Invalid Arn: '{arn}'", 400)
    if token is not None and not TOKEN.fullmatch(token):
        return error_response_json("ValidationException", "clientToken must be 1 to 64 printable characters", 400)
    with LOCK:
        execution = sfn._executions.get(arn)
        if execution is None:
            return error_response_json("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'", 400)
        used = [t for t in execution.get("_tokens", []) if now() - t["at"] < TOKEN_SECONDS]
        for earlier in used:
            if earlier["token"] == token:
                return json_response({"redriveDate": earlier["redriveDate"]})
        status, reason = redrive_status(execution)
        if status != "REDRIVABLE" or execution.get("sync"):
            reason = reason or "Execution can be redriven only by its Map Run"
            return error_response_json("ExecutionNotRedrivable", reason, 400)
        if sum(e["status"] == "RUNNING" for e in sfn._executions.values()) >= MAX_OPEN:
            return error_response_json("ExecutionLimitExceeded", "Too many open executions", 400)
        executions.reopen(execution)
        if token is not None:
            used.append({"token": token, "redriveDate": execution["redriveDate"], "at": now()})
        execution["_tokens"] = used[-TOKENS_KEPT:]
        detail, date = events.detail_of(execution, redrive_fields(execution)), execution["redriveDate"]
        REGISTRY.launch(arn, Scope())
    events.publish(detail)
    return json_response({"redriveDate": date})


def start_execution(original, data):
    """StartExecution, idempotent for a running execution of the same name and input."""
    name = data.get("name")
    if name is not None and not NAME.fullmatch(name):
        return error_response_json("InvalidName", f"Invalid Name: '{name}'", 400)
    machine = sfn._state_machines.get(sfn._resolve_state_machine_arn(data.get("stateMachineArn", "")))
    if name and machine:
        arn = f"arn:aws:states:{sfn.get_region()}:{sfn.get_account_id()}:execution:{machine['name']}:{name}"
        running = sfn._executions.get(arn)
        if running and running["status"] == "RUNNING" and running["input"] == data.get("input", "{}"):
            return json_response({"executionArn": arn, "startDate": running["startDate"]})
    return original(data)


def run_started(arn):
    """What the emulator's own StartExecution calls in a new thread."""
    executions.run(arn)


def stop_execution(data):
    """StopExecution; asking again for one that is aborted already gives the same answer."""
    arn = data.get("executionArn") or ""
    if not ARN.fullmatch(arn):
        return error_response_json("InvalidArn", f"Invalid Arn: '{arn}'", 400)
    execution = sfn._executions.get(arn)
    if execution is None:
        return error_response_json("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'", 400)
    if execution["status"] == "RUNNING":
        return json_response({"stopDate": executions.stop(execution, data.get("error"), data.get("cause"))})
    return json_response({"stopDate": execution["stopDate"]})


def add_to_answer(response, change):
    """response with its JSON body run through change, if it is a success."""
    status, _, body = response
    if status != 200:
        return response
    answer = json.loads(body)
    change(answer)
    return json_response(answer)


def describe_execution(original, data):
    """DescribeExecution with the redrive members."""
    execution = sfn._executions.get(data.get("executionArn"))
    return add_to_answer(original(data), lambda answer: answer.update(redrive_fields(execution)))


def list_executions(original, data):
    """ListExecutions with redrive members and redriveFilter."""
    def change(answer):
        for item in answer["executions"]:
            fields = redrive_fields(sfn._executions[item["executionArn"]])
            item.update({k: fields[k] for k in ("redriveCount", "redriveDate") if k in fields})
        wanted = data.get("redriveFilter")
        if wanted:
            answer["executions"] = [e for e in answer["executions"]
                                    if (e["redriveCount"] > 0) == (wanted == "REDRIVEN")]
    return add_to_answer(original(data), change)


def describe_state_machine_for_execution(original, data):
    """DescribeStateMachineForExecution with the definition that the execution started with."""
    execution = sfn._executions.get(data.get("executionArn")) or {}

    def change(answer):
        answer["definition"] = execution.get("_definition") or answer["definition"]
    return add_to_answer(original(data), change)


def describe_map_run(original, data):
    """DescribeMapRun with the date of the last redrive."""
    run = sfn._map_runs.get(data.get("mapRunArn")) or {}

    def change(answer):
        if run.get("redriveDate"):
            answer["redriveDate"] = run["redriveDate"]
    return add_to_answer(original(data), change)
