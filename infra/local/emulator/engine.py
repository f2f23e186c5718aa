"""Running the states of one execution so that it can be taken up again.

Every line of states (an execution, a branch of a Parallel, an iteration of a
Map) keeps a frame: a dict that holds the last state entered and not exited,
that state's input, and below it the frames of its branches or iterations.
Frames live in the execution's record, so they are saved with the emulator's
state. A redrive runs the same lines again over the frames that are there.

The meaning of Pass, Choice and Wait, of paths and of service integrations is
the emulator's own; this module replaces the loops around them. States
that hold lines of states (Parallel, Map) are run by maps and mapruns, which
import this module; the extension enters them in RUNNERS.
"""

import contextvars
import copy
import threading

from ministack.services import stepfunctions as sfn

import permissions
from history import add_event, encode
from scope import CURRENT

# Errors that neither Retry nor Catch sees unless named:
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
TERMINAL = ("States.DataLimitExceeded", "States.Runtime")


def run_states(states, start_at, frame, execution, scope, ctx):
    """Runs a line of states to its end and returns its output.

    frame holds "input" at first; afterwards "state" and "input" of the state
    under way, or "output" once the line is done. A frame that has a "state"
    is taken up there, without entering that state again.
    """
    if "output" in frame:
        return frame["output"]
    CURRENT.set(scope)
    resumed = "state" in frame
    if not resumed:
        frame["state"] = start_at
    while True:
        scope.check()
        name = frame["state"]
        state = states.get(name)
        if state is None:
            raise sfn._ExecutionError("States.Runtime", f"State '{name}' not found in definition")
        ctx["State"] = {"Name": name, "EnteredTime": sfn.now_iso(), "RetryCount": 0}
        kind = state.get("Type")
        if not resumed or kind == "Fail":
            add_event(execution, f"{kind}StateEntered", {"stateEnteredEventDetails": {
                "name": name, "input": encode(frame["input"], f"input of state '{name}'")}})
        try:
            output, following = run_state(state, frame, execution, scope, ctx, resumed)
            text = encode(output, f"output of state '{name}'")
        except sfn._ExecutionError as err:
            if err.error == "States.DataLimitExceeded":
                forget_parts(frame)  # a redrive then runs all of them again
            raise
        add_event(execution, f"{kind}StateExited", {"stateExitedEventDetails": {"name": name, "output": text}})
        resumed = False
        forget_parts(frame)
        if following is None:
            frame["output"] = output
            return output
        frame["state"], frame["input"] = following, output


def run_state(state, frame, execution, scope, ctx, resumed):
    """Runs one state: (output, name of the next state or None at the end)."""
    kind, raw_input = state.get("Type"), frame["input"]
    if kind == "Pass":
        # A redrive exits a Pass state without running it.
        return (raw_input, sfn._next_or_end(state)) if resumed else sfn._execute_pass(state, raw_input, ctx)
    if kind == "Succeed":
        return sfn._apply_output_path(state, sfn._apply_input_path(state, raw_input, ctx), ctx), None
    if kind == "Fail":
        raise sfn._ExecutionError(*sfn._fail_state_error(state, raw_input, ctx))
    if kind == "Choice":
        return sfn._execute_choice(state, raw_input, ctx)
    if kind == "Wait":
        return sfn._execute_wait(state, raw_input, ctx)
    runner = RUNNERS.get(kind)
    if runner is None:
        raise sfn._ExecutionError("States.Runtime", f"Unknown state type: {kind}")

    def attempt():
        return runner(state, frame, execution, scope, ctx)

    # A Retry of a Map or a Parallel runs all of it again.
    return with_retry_and_catch(state, raw_input, scope, ctx, attempt, lambda: forget_parts(frame))


def forget_parts(frame):
    """Drops the parts of its state that a frame keeps."""
    frame.pop("parts", None)
    frame.pop("mapRunArn", None)


def with_retry_and_catch(state, raw_input, scope, ctx, attempt, forget):
    """Runs attempt under the state's Retry and Catch.

    Waits are IntervalSeconds x BackoffRate^n, at most MaxDelaySeconds, times
    the emulator's SFN_WAIT_SCALE; JitterStrategy is accepted and adds nothing,
    so that a run is repeatable.
    """
    counts = {}
    entered = ctx["State"]
    while True:
        ctx["State"] = {**entered, "RetryCount": sum(counts.values())}
        try:
            return attempt()
        except sfn._ExecutionError as err:
            retrier, index = find_retrier(state.get("Retry", []), err.error, counts)
            if retrier is not None:
                scope.sleep(retry_delay(retrier, counts.get(index, 0)) * sfn._SFN_WAIT_SCALE)
                counts[index] = counts.get(index, 0) + 1
                forget()
                continue
            catcher = find_catcher(state.get("Catch", []), err.error)
            if catcher is None:
                raise
            output = sfn._apply_catcher(
                catcher, raw_input, ctx, sfn._state_query_language(state, ctx),
                {"Error": err.error, "Cause": err.cause})
            return output, catcher["Next"]


def retry_delay(retrier, count):
    """Seconds before the retry after count earlier ones of the same retrier."""
    delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** count
    return min(delay, retrier.get("MaxDelaySeconds", delay))


def matches(names, error):
    """Whether a list of ErrorEquals names catches error."""
    if error in names:
        return True
    if error in TERMINAL:
        return False
    return "States.ALL" in names or ("States.TaskFailed" in names and error != "States.Timeout")


def find_retrier(retriers, error, counts):
    """The first retrier that matches, with its index, or (None, -1) if it is used up."""
    for index, retrier in enumerate(retriers):
        if matches(retrier.get("ErrorEquals", []), error):
            used_up = counts.get(index, 0) >= retrier.get("MaxAttempts", 3)
            return (None, -1) if used_up else (retrier, index)
    return None, -1


def find_catcher(catchers, error):
    """The first catcher that matches, or None."""
    return next((c for c in catchers if matches(c.get("ErrorEquals", []), error)), None)


def run_task(state, frame, execution, scope, ctx):
    """Runs one attempt of a Task state."""
    raw_input, resource = frame["input"], state.get("Resource", "")
    jsonata = sfn._state_query_language(state, ctx) == "JSONata"
    if ".waitForTaskToken" in resource:
        ctx["Task"] = {"Token": sfn.new_uuid()}
    if jsonata:
        effective = sfn._apply_jsonata_arguments(state, raw_input, ctx)
    else:
        effective = sfn._apply_parameters(state, sfn._apply_input_path(state, raw_input, ctx), ctx)
    result = call_resource(state, resource, effective, execution, scope, ctx)
    if jsonata:
        output = sfn._apply_jsonata_output(state, raw_input, ctx, result=result, default=result)
        sfn._apply_state_assign(state, raw_input, ctx, result=result)
        return output, sfn._next_or_end(state)
    selected = sfn._apply_result_selector(state, result)
    output = sfn._apply_result_path(state, raw_input, selected)
    return sfn._apply_output_path(state, output, ctx), sfn._next_or_end(state)


# What runs one attempt of a state that Retry and Catch apply to, by its type:
# (state, frame, execution, scope, ctx) -> (output, name of the next state).
RUNNERS = {"Task": run_task}


def call_resource(state, resource, effective, execution, scope, ctx):
    """Calls a task's resource with its history events."""
    direct = ":function:" in resource and not resource.startswith("arn:aws:states:::")
    prefix, key = ("LambdaFunction", "lambdaFunction") if direct else ("Task", "task")
    service, _, action = resource.rpartition(":::")[2].partition(":")
    kind = {} if direct else {"resourceType": service, "resource": action}
    asked = {"resource": resource, "input": encode(effective, "input of the task")} if direct else {
        **kind, "region": sfn.get_region(), "parameters": encode(effective, "input of the task")}
    add_event(execution, f"{prefix}Scheduled", {f"{key}ScheduledEventDetails": asked})
    add_event(execution, f"{prefix}Started", {} if direct else {f"{key}StartedEventDetails": kind})
    try:
        if direct or service == "lambda":
            function = permissions.function_arn(resource if direct else effective.get("FunctionName", ""))
            permissions.step_functions(ctx, "lambda:InvokeFunction", function, "Lambda.AWSLambdaException")
        result = call(state, resource, effective, scope, ctx)
        output = encode(result, "result of the task")
    except sfn._ExecutionError as err:
        outcome = "TimedOut" if err.error == "States.Timeout" else "Failed"
        add_event(execution, f"{prefix}{outcome}", {f"{key}{outcome}EventDetails": {
            **kind, "error": err.error, "cause": err.cause}})
        raise
    add_event(execution, f"{prefix}Succeeded", {f"{key}SucceededEventDetails": {**kind, "output": output}})
    return result


def call(state, resource, effective, scope, ctx):
    """Runs the integration in a thread of its own, so that a stop or a timeout leaves it behind."""
    done, box = threading.Event(), {}

    def work():
        try:
            if ".waitForTaskToken" in resource:
                box["result"] = sfn._invoke_with_callback(resource, effective, ctx["Task"]["Token"], state)
            else:
                box["result"] = sfn._invoke_resource(resource, effective)
        except sfn._ExecutionError as err:
            box["error"] = err
        except Exception as err:  # an integration's own fault must not end the thread in silence
            sfn.logger.exception("task failed in the emulator")
            box["error"] = sfn._ExecutionError("States.Runtime", str(err))
        finally:
            done.set()

    threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True).start()
    timeout = state.get("TimeoutSeconds")
    if ":activity:" in resource or ".waitForTaskToken" in resource:
        timeout = None  # the emulator counts these from the moment a worker has the task
    if not scope.wait(done, timeout):
        raise sfn._ExecutionError("States.Timeout", f"Task timed out after {timeout} seconds")
    if "error" in box:
        raise box["error"]
    return box["result"]


def context_for(execution, definition, state_machine):
    """The context object of an execution."""
    redrives = execution.get("redriveCount", 0)
    return {
        "QueryLanguage": definition.get("QueryLanguage", "JSONPath"),
        "Execution": {
            "Id": execution["executionArn"],
            "Input": copy.deepcopy(execution["_frame"].get("started", execution["_frame"]["input"])),
            "Name": execution["name"],
            "RoleArn": state_machine.get("roleArn", ""),
            "StartTime": execution["startDate"],
            "RedriveCount": redrives,
            **({"RedriveTime": execution["redriveDate"]} if redrives else {}),
        },
        "StateMachine": {"Id": execution["stateMachineArn"], "Name": state_machine.get("name", "")},
        "variables": execution["_frame"].setdefault("variables", {}),
    }
