"""Whether an execution can be redriven, and how the API tells it."""

from datetime import datetime, timedelta, timezone

# https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
REDRIVABLE_DAYS = 14
MAX_EVENTS = 24999


def redrive_status(execution, now=None):
    """(redriveStatus, redriveStatusReason or None) as DescribeExecution reports them."""
    status = execution["status"]
    if status in ("RUNNING", "SUCCEEDED", "PENDING_REDRIVE"):
        return "NOT_REDRIVABLE", f"Execution is {status} and cannot be redriven"
    if len(execution["events"]) >= MAX_EVENTS:
        return "NOT_REDRIVABLE", "Execution history event limit exceeded"
    ended = datetime.fromisoformat(execution["stopDate"].replace("Z", "+00:00"))
    if (now or datetime.now(timezone.utc)) - ended > timedelta(days=REDRIVABLE_DAYS):
        return "NOT_REDRIVABLE", "Execution's redrivable period exceeded"
    if execution.get("mapRunArn"):
        return "REDRIVABLE_BY_MAP_RUN", None
    return "REDRIVABLE", None


def redrive_fields(execution):
    """The redrive members of DescribeExecution and of status change events."""
    status, reason = redrive_status(execution)
    fields = {"redriveCount": execution.get("redriveCount", 0), "redriveStatus": status}
    if execution.get("redriveDate"):
        fields["redriveDate"] = execution["redriveDate"]
    if reason:
        fields["redriveStatusReason"] = reason
    return fields
