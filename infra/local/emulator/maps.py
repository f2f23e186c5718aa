"""Inline Map and Parallel states whose finished parts outlive a failure.

Each iteration or branch has a frame among its state's "parts", by index. A
redrive finds them there: a part with an output is kept, the others go on from
their own state. The first part that fails stops the rest, as on AWS.
"""

import contextvars
import copy
import threading

from ministack.services import stepfunctions as sfn

import engine
from history import add_event, as_error
from scope import Stopped

# Iterations of an inline Map that run at once if it sets no limit; AWS's own
# bound: https://docs.aws.amazon.com/step-functions/latest/dg/state-map.html
INLINE_LIMIT = 40


def concurrency(state, effective, raw_input, ctx, unlimited):
    """The number of parts at once: MaxConcurrency, its path form or expression; 0 means unlimited."""
    limit = state.get("MaxConcurrency", 0)
    if "MaxConcurrencyPath" in state:
        limit = sfn._resolve_path_or_ctx(state["MaxConcurrencyPath"], effective, ctx)
    elif isinstance(limit, str):
        limit = sfn._jsonata_state_field(state, "MaxConcurrency", "number", raw_input, ctx)
    if isinstance(limit, bool) or not isinstance(limit, (int, float)) or limit < 0 or limit != int(limit):
        raise sfn._ExecutionError(
            "States.Runtime", "MaxConcurrencyPath must lead to an integer that is not negative")
    return min(int(limit), unlimited) or unlimited


def run_pool(indexes, limit, work):
    """Runs work(index) for each index on at most limit threads and waits for all of them."""
    remaining, lock = iter(list(indexes)), threading.Lock()

    def worker():
        while True:
            with lock:
                index = next(remaining, None)
            if index is None:
                return
            work(index)

    count = min(limit, len(indexes))
    threads = [threading.Thread(target=contextvars.copy_context().run, args=(worker,), daemon=True)
               for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def items_of(state, effective, raw_input, ctx):
    """The items of a Map state without an ItemReader."""
    if sfn._state_query_language(state, ctx) == "JSONata" and "Items" in state:
        items = sfn._jsonata_state_field(state, "Items", "array", raw_input, ctx)
    else:
        items = sfn._resolve_path_or_ctx(state.get("ItemsPath", "$"), effective, ctx)
    if not isinstance(items, list):
        raise sfn._ExecutionError("States.Runtime", "The items of a Map state must be an array")
    return items


def item_input(state, item, effective, raw_input, ctx):
    """What the processor gets for an item; ctx holds the item as $$.Map.Item."""
    selector = state.get("ItemSelector") or state.get("Parameters")
    if not selector:
        return copy.deepcopy(item)
    if sfn._state_query_language(state, ctx) == "JSONata":
        return sfn._apply_jsonata_template(selector, raw_input, ctx)
    return sfn._resolve_params_obj(selector, effective, ctx)


def run_inline(state, processor, frame, execution, scope, ctx):
    """Runs an inline Map: the array of the iterations' outputs, in the items' order."""
    raw_input = frame["input"]
    effective = sfn._apply_input_path(state, raw_input, ctx)
    items = items_of(state, effective, raw_input, ctx)
    limit = concurrency(state, effective, raw_input, ctx, INLINE_LIMIT)
    name = frame["state"]
    if "parts" not in frame:
        frame["parts"] = {}
        add_event(execution, "MapStateStarted", {"mapStateStartedEventDetails": {"length": len(items)}})

    def part(index, below):
        own = copy.deepcopy(ctx)
        own["variables"] = ctx["variables"]
        own["Map"] = {"Item": {"Index": index, "Value": items[index]}}
        inner = frame["parts"].setdefault(str(index), {})
        if "input" not in inner:
            inner["input"] = item_input(state, items[index], effective, raw_input, own)
        return engine.run_states(processor.get("States", {}), processor.get("StartAt"), inner, execution, below, own)

    def event(index, what):
        add_event(execution, f"MapIteration{what}", {
            f"mapIteration{what}EventDetails": {"name": name, "index": index}})

    results = run_parts(frame, len(items), limit, execution, scope, part, event, "MapState")
    return finish(state, raw_input, results, ctx)


def run_parallel(state, frame, execution, scope, ctx):
    """Runs a Parallel state: the array of its branches' outputs."""
    raw_input = frame["input"]
    effective = sfn._apply_parameters(state, sfn._apply_input_path(state, raw_input, ctx), ctx)
    branches = state.get("Branches", [])
    if "parts" not in frame:
        frame["parts"] = {}
        add_event(execution, "ParallelStateStarted")

    def part(index, below):
        own = copy.deepcopy(ctx)
        own["variables"] = ctx["variables"]
        inner = frame["parts"].setdefault(str(index), {"input": copy.deepcopy(effective)})
        branch = branches[index]
        return engine.run_states(branch.get("States", {}), branch.get("StartAt"), inner, execution, below, own)

    results = run_parts(frame, len(branches), len(branches), execution, scope, part,
                        lambda index, what: None, "ParallelState")
    return finish(state, raw_input, results, ctx)


def run_parts(frame, count, limit, execution, scope, part, event, kind):
    """Runs the parts that have no output yet; the error of the first that fails stops the others."""
    parts, failures = frame["parts"], []
    todo = [i for i in range(count) if "output" not in parts.get(str(i), {})]
    with scope.child() as below:

        def work(index):
            if below.stopped:
                return
            event(index, "Started")
            try:
                part(index, below)
                event(index, "Succeeded")
            except Stopped:
                event(index, "Aborted")
            except Exception as err:
                event(index, "Failed")
                failures.append(as_error(err))
                below.stop()

        run_pool(todo, limit, work)
    scope.check()
    if failures:
        add_event(execution, f"{kind}Failed")
        raise failures[0]
    add_event(execution, f"{kind}Succeeded")
    return [parts[str(i)]["output"] for i in range(count)]


def finish(state, raw_input, results, ctx):
    """The output of a Map or Parallel state made of its results, and the next state."""
    if sfn._state_query_language(state, ctx) == "JSONata":
        output = sfn._apply_jsonata_output(state, raw_input, ctx, result=results, default=results)
        sfn._apply_state_assign(state, raw_input, ctx, result=results)
        return output, sfn._next_or_end(state)
    selected = sfn._apply_result_selector(state, results)
    output = sfn._apply_result_path(state, raw_input, selected)
    return sfn._apply_output_path(state, output, ctx), sfn._next_or_end(state)
