"""Runs the product and frictionless over the same files and descriptor.

Both answers become one form: a set of (line, field, error) for each resource,
where line is the physical line on which the record starts, and error is named
as the product names its rules. Of the product, `etlctl contract check` is run;
of frictionless, Package.validate.
"""

import csv
import json
import os
import pathlib
import subprocess

from frictionless import Package

ROOT = pathlib.Path(__file__).resolve().parents[3]
ETLCTL = os.environ.get("ETLCTL", str(ROOT / "build" / "local" / "etlctl"))
SAMPLE = os.environ.get("SAMPLE", str(ROOT / "build" / "local" / "sample"))
DESCRIPTOR = ROOT / "internal" / "contract" / "datapackage.json"

# Errors of frictionless that have one name in the product.
NAMES = {
    "primary-key": "primaryKey",
    "unique-error": "unique",
    "foreign-key": "foreignKey",
    "blank-row": "blank",
    "extra-cell": "fields",
    "missing-cell": "fields",
}

# What frictionless says of a row whose key has no value, beside what is wrong
# with the key itself.
NO_KEY = 'cells composing the primary keys are all "None"'


class Answer:
    """What an engine says of a set of files."""

    def __init__(self):
        self.errors = {}  # resource: {(line, field, error)}
        self.faults = {}  # resource: why the whole file is refused

    def add(self, resource, line, field, error):
        """Adds one error."""
        self.errors.setdefault(resource, set()).add((line, field, error))

    def of(self, resource):
        """Returns the errors of a resource."""
        return self.errors.get(resource, set())


def product(folder, files, descriptor=DESCRIPTOR):
    """Asks the product about {resource: file name} in a folder."""
    run = subprocess.run(
        [ETLCTL, "contract", "check", "--mode=initial", "--format=json", "--descriptor", str(descriptor),
         *(os.path.join(folder, name) for name in files.values())],
        capture_output=True, text=True, check=False)
    if run.returncode not in (0, 1, 3):
        raise RuntimeError("etlctl: " + run.stderr)
    found, answer = json.loads(run.stdout), Answer()
    for each in found["errors"]:
        answer.add(each["resource"], each["line_number"], each.get("field", ""), each["rule"])
    for each in found["files"]:
        if "fault" in each:
            answer.faults[each["resource"]] = each["fault"]
    return answer


def standard(folder, files, descriptor=DESCRIPTOR):
    """Asks frictionless about {resource: file name} in a folder."""
    package = json.loads(pathlib.Path(descriptor).read_text(encoding="utf-8"))
    for resource in package["resources"]:
        resource["path"] = files[resource["name"]]
    answer = Answer()
    report = Package.from_descriptor(package, basepath=str(folder)).validate(limit_errors=10**9)
    if report.errors:
        raise RuntimeError("frictionless: %s" % report.errors)
    for resource, task in zip(package["resources"], report.tasks):
        name = resource["name"]
        path = os.path.join(folder, files[name])
        lines = None
        for error in task.errors:
            row = getattr(error, "row_number", None)
            if row is None:
                answer.faults[name] = error.type
                continue
            if lines is None:
                lines = start_lines(path, resource)
            answer.add(name, lines[row - 1], *named(resource, error))
    return answer


def start_lines(path, resource):
    """Returns the physical line on which each row starts, the header's first."""
    dialect = resource.get("dialect", {})
    with open(path, encoding=resource.get("encoding", "utf-8"), newline="") as file:
        rows = csv.reader(file, delimiter=dialect.get("delimiter", ","), quotechar=dialect.get("quoteChar", '"'))
        ends = [0]
        for _ in rows:
            ends.append(rows.line_num)
    return [end + 1 for end in ends]


def named(resource, error):
    """Returns the field and the product's name of an error of frictionless."""
    if error.type == "constraint-error":
        return error.field_name, error.note.split('"')[1]
    if error.type == "type-error":
        return error.field_name, "format" if error.note.endswith('"string/email"') else "type"
    if error.type == "primary-key":
        key = resource["schema"]["primaryKey"]
        field = key if isinstance(key, str) else ", ".join(key)
        return field, "no key" if error.note == NO_KEY else "primaryKey"
    if error.type == "unique-error":
        return error.field_name, "unique"
    if error.type == "foreign-key":
        return ", ".join(error.field_names), "foreignKey"
    return "", NAMES.get(error.type, error.type)


def ours_alone(descriptor=DESCRIPTOR):
    """Returns a function that tells whether the standard cannot know an error.

    These are the rules in properties of the descriptor that the standard does
    not have: etl:rules, etl:relationRules, etl:pattern and etl:acyclic.
    """
    rules, patterns = {"cycle"}, set()
    for resource in json.loads(pathlib.Path(descriptor).read_text(encoding="utf-8"))["resources"]:
        for prop in ("etl:rules", "etl:relationRules"):
            rules.update(rule["name"] for rule in resource.get(prop, []))
        patterns.update((resource["name"], field["name"]) for field in resource["schema"]["fields"] if "etl:pattern" in field)

    def alone(resource, error):
        return error[2] in rules or (error[2] == "pattern" and (resource, error[1]) in patterns)
    return alone
