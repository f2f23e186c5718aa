"""Checks a state machine's definition against the Amazon States Language.

    .local/venv/bin/python infra/local/lint_asl.py statemachine/import.asl.json

The validator is statelint of PyPI. Placeholders (`${Name}`) are filled in as
SAM would; three findings are dropped, because the documentation of AWS allows
what the validator does not know: Label on a distributed Map, InputType in a
ReaderConfig, whole numbers as BackoffRate. Exit status 1 if anything is left.
"""

import json
import pathlib
import re
import sys

from statelint.linter import Linter

ALLOWED = (
    re.compile(r'Field "Label" not allowed in .*'),
    re.compile(r'Field "InputType" not allowed in .*\.ItemReader\.ReaderConfig'),
    re.compile(r".*\.BackoffRate is \d+ but should be a Float"),
)

ARN = "arn:aws:lambda:eu-west-1:111122223333:function:placeholder"


def fill(text):
    """A definition with its placeholders filled in: an ARN where the whole string is one, a word elsewhere."""
    return re.sub(r"\$\{\w+\}", "placeholder", re.sub(r'"\$\{\w+\}"', f'"{ARN}"', text))


def findings(text):
    """What the validator says of a definition, without what is allowed."""
    try:
        definition = json.loads(fill(text))
    except json.JSONDecodeError as err:
        return [f"not JSON: {err}"]
    if not isinstance(definition, dict):
        return ["not a JSON object"]
    problems = (problem.strip() for problem in Linter.validate(definition))
    return [p for p in problems if not any(pattern.fullmatch(p) for pattern in ALLOWED)]


def main(paths):
    """Lints the files; returns the exit status."""
    found = 0
    for path in paths:
        for problem in findings(pathlib.Path(path).read_text()):
            print(f"{path}: {problem}", file=sys.stderr)
            found += 1
    return 1 if found or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
