"""Status change events, with the redrive members.

An event is made while the status it tells cannot change, and published after:
delivery is best effort and unordered, as on AWS, but no event tells a status
that another one should have told.
"""

import json

from ministack.services import stepfunctions as sfn

from redrives import redrive_fields

# The largest escaped input or output that an event carries:
# https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
PAYLOAD = 248 * 1024


def detail_of(execution, redrive):
    """The detail of the event for an execution's present status; redrive holds its redrive members."""
    status = execution["status"]
    output = execution.get("output") if status == "SUCCEEDED" else None
    detail = {
        "executionArn": execution["executionArn"], "stateMachineArn": execution["stateMachineArn"],
        "name": execution["name"], "status": status,
        "startDate": sfn._iso_to_epoch_ms(execution["startDate"]),
        "stopDate": sfn._iso_to_epoch_ms(execution.get("stopDate")),
        "input": execution.get("input"), "inputDetails": {"included": True},
        "output": output, "outputDetails": {"included": True} if output is not None else None,
        "stateMachineVersionArn": None, "stateMachineAliasArn": None,
        "redriveCount": redrive["redriveCount"], "redriveDate": sfn._iso_to_epoch_ms(redrive.get("redriveDate")),
        "redriveStatus": redrive["redriveStatus"], "redriveStatusReason": redrive.get("redriveStatusReason"),
        "error": execution.get("error"), "cause": execution.get("cause"),
    }
    for key in ("input", "output"):
        if detail[key] is not None and len(json.dumps(detail[key])) > PAYLOAD:
            detail[key], detail[f"{key}Details"] = None, {"included": False}
    return detail


def publish(detail):
    """Sends an event to the default bus; a fault there is logged and fails nothing."""
    from ministack.services import eventbridge  # imported late: it imports Step Functions in turn
    try:
        eventbridge._put_events({"Entries": [{
            "Source": "aws.states", "DetailType": "Step Functions Execution Status Change",
            "Detail": json.dumps(detail), "Resources": [detail["executionArn"]],
        }]}, allow_aws_source=True)
    except Exception:  # whatever a target does wrong
        sfn.logger.warning("status change of %s was not published", detail["executionArn"], exc_info=True)


def emit(execution):
    """Makes and sends the event of a new execution; the emulator's StartExecution calls it."""
    if not execution.get("sync"):
        publish(detail_of(execution, redrive_fields(execution)))
