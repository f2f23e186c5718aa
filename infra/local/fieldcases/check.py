#!/usr/bin/env python3
"""Holds `etlctl contract check` against files as people really deliver them.

    check.py ETLCTL [CASES]     CASES: a folder with cases.json, default this one

PENDING names the cases that are known to differ: one of them that passes is a
failure too, so that the list gets shorter.

Each case is a folder with its files; cases.json says what must come of the file `main`:

    expect.file_error   true, or a word of the message: the file is refused as a whole
    expect.accept       lines (elements of a JSON array) whose records are valid
    expect.reject       [{line, field, rule}]: rejected, with at least this error; field null is any
    forbid_in_output    values that must stand nowhere in what is printed
    message_must_match  regular expressions that the file's fault must match

Nothing but these records may be read or rejected. Prints each difference; exit 1 if there is one.
"""
import json
import pathlib
import re
import subprocess
import sys
import time

PENDING = ("111-date-in-the-future",)


def differences(case, folder, etlctl):
    files = [str(folder / case["name"] / f) for f in case["files"]]
    started = time.time()
    p = subprocess.run([etlctl, "contract", "check", "--format", "json", "--mode", case["mode"], *files], capture_output=True, text=True, timeout=120)
    if time.time() - started > 20:
        yield "slower than 20 s"
    printed = p.stdout + p.stderr
    for value in case.get("forbid_in_output", []):
        if value in printed:
            yield f"shows the value {value!r}"
    try:
        answer = json.loads(p.stdout)
    except ValueError:
        yield f"no JSON, exit {p.returncode}: {printed[:200]!r}"
        return
    file = next((f for f in answer.get("files") or [] if f["file"] == case["main"]), {})
    fault, expect = file.get("fault") or "", case["expect"]
    for pattern in case.get("message_must_match", []):
        if not re.search(pattern, fault):
            yield f"the message {fault[:200]!r} does not match {pattern!r}"
    if wanted := expect.get("file_error"):
        if not fault:
            yield "the file is not refused"
        elif isinstance(wanted, str) and wanted not in fault:
            yield f"the message {fault[:200]!r} lacks {wanted!r}"
        return
    if fault:
        yield f"the file is refused: {fault[:200]}"
        return
    errors = {}
    for e in answer.get("errors") or []:
        if e["file"] == case["main"]:
            errors.setdefault(e["line_number"], []).append((e.get("field"), e["rule"]))
    for line in expect["accept"]:
        if line in errors:
            yield f"line {line} is rejected: {errors[line]}"
    for want in expect["reject"]:
        if not any((want["field"] in (None, field)) and want.get("rule", rule) == rule for field, rule in errors.get(want["line"], [])):
            yield f"line {want['line']}: expected {want['field']}/{want.get('rule', 'any rule')}, got {errors.get(want['line'], 'accepted')}"
    rejected = {want["line"] for want in expect["reject"]}
    for line in errors.keys() - rejected - set(expect["accept"]):
        yield f"line {line} is rejected, which is no record of its own: {errors[line]}"
    for name, want in (("valid", len(expect["accept"])), ("read", len(expect["accept"]) + len(rejected))):
        if file.get(name) != want:
            yield f"{name} {file.get(name)}, expected {want}"


def main():
    etlctl = sys.argv[1]
    folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else pathlib.Path(__file__).parent)
    cases = json.loads((folder / "cases.json").read_text(encoding="utf-8"))
    failed = 0
    for case in cases:
        found = list(differences(case, folder, etlctl))
        if case["name"] in PENDING:
            found = [] if found else ["passes: take it off the list of those that differ"]
        failed += bool(found)
        for text in found:
            print(f"{case['name']}: {text}")
    print(f"{len(cases) - failed} passed, {failed} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
