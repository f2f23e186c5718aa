"""Compares the engines on generated files with planted faults.

What stops frictionless, or makes it read other records than the file's, is cut
out first: those differences have cases of their own in test_records. What is
left of the decided ones is recognised by its nature, record by record.
"""

import csv
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import engines

sys.path.insert(0, str(engines.ROOT / "infra" / "proof" / "oracle"))

import contract  # noqa: E402
import lexical  # noqa: E402
import oracle  # noqa: E402

DATE = "2024-10-08"

# Errors of single values on which the engines differ; which ones they are is tried
# by the test of values.
OF_VALUES = frozenset(("type", "format", "characters", "required", "minimum", "maximum"))

# Faults of a record that frictionless cannot read past.
CUT = frozenset(("quote", "encoding", "nul", "size"))


def generate(folder, **options):
    """Makes the ten files and returns {resource: file name}."""
    arguments = [part for name, value in options.items() for part in ("-" + name.replace("_", "-"), str(value))]
    subprocess.run([engines.SAMPLE, "-out", folder, "-date", DATE, *arguments], check=True, capture_output=True)
    return {resource: file for resource, (file, _) in oracle.find_files(folder).items()}


def cut(path, resource, faults):
    """Drops the physical lines of records with these faults."""
    found = [(line, fault) for line, fault, _ in contract.records(path, resource)]
    lines = pathlib.Path(path).read_bytes().split(b"\n")
    ends = [line for line, _ in found[1:]] + [len(lines)]
    dropped = set()
    for (line, fault), end in zip(found, ends):
        if fault in faults:
            dropped.update(range(line, end))
    pathlib.Path(path).write_bytes(b"\n".join(text for i, text in enumerate(lines, 1) if i not in dropped))


def well_formed(folder, files):
    """Returns {resource: {line: values}} of the records that the oracle can read."""
    found = {}
    for resource in contract.IN_ORDER:
        found[resource.name] = {
            line: values for line, fault, values in contract.records(os.path.join(folder, files[resource.name]), resource) if fault is None
        }
    return found


def turn(path):
    """Puts the columns of a file into another order, the last one first."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(row[::-1] for row in rows)


def loosely_read(text):
    """Returns whether Python's int reads a text, as frictionless does."""
    try:
        int(text)
    except ValueError:
        return False
    return True


class Planted(unittest.TestCase):
    """Sets of ten files with a fault of every kind."""

    def check(self, turned=False, **options):
        """Compares the engines on one set; returns how many errors they share."""
        with tempfile.TemporaryDirectory() as folder:
            files = generate(folder, **options)
            for resource in contract.IN_ORDER:
                path = os.path.join(folder, files[resource.name])
                cut(path, resource, CUT | {"fields"} if turned else CUT)
                if turned:
                    turn(path)
            ours, theirs = engines.product(folder, files), engines.standard(folder, files)
            self.assertEqual((ours.faults, theirs.faults), ({}, {}))
            values = well_formed(folder, files)
            return sum(self.compare(resource, values, ours, theirs) for resource in contract.IN_ORDER)

    def compare(self, resource, values, ours, theirs):
        """Compares what the engines say of one file; returns how many errors they share."""
        name, alone = resource.name, engines.ours_alone()
        ragged = {line for line, _, error in ours.of(name) if error == "fields"}
        mine = {each for each in ours.of(name) if not alone(name, each)}
        other = {each for each in theirs.of(name) if each[2] != "no key" and (each[0] not in ragged or each[2] == "fields")}
        for each in other - mine:
            self.assertTrue(self.loose(resource, each, values[name], ours.of(name)), (name, each))
        for line, field, error in mine - other:
            record = values[name][line]
            if error in OF_VALUES:  # a form that the test of values tries
                self.assertIn((field, error), contract.row_errors(resource, contract.present(resource, record), DATE), (name, line))
                continue
            self.assertEqual(error, "foreignKey", (name, line))
            self.assertTrue(self.cascades(resource, field, values, line, ours), (name, line))
        return len(mine & other)

    def loose(self, resource, error, values, ours):
        """Returns whether only frictionless reads a key in an error of its own.

        That is a key which the product rejects for its type or its size, in the
        record itself or, for a duplicate, in an earlier record.
        """
        line, fields, rule = error
        if rule == "format":
            return True  # of an address: a form that the test of values tries
        value = values[line][resource.columns.index(fields)] if fields in resource.columns else None
        if rule in ("pattern", "enum") and lexical.is_text(value) and lexical.is_blank(value):
            return True  # it counts as missing
        if rule == "maxLength" and lexical.length(value) < len(value):
            return True
        bad = {each[:2] for each in ours if each[2] in ("type", "minimum", "maximum")}
        if any((line, field) in bad for field in fields.split(", ")):
            return True
        if rule != "primaryKey" or len(resource.key) > 1:
            return False
        place = resource.columns.index(fields)
        key = contract.canonical(resource, values[line], fields)
        return any(int(values[number][place]) == key for number, field in bad if field == fields and loosely_read(values[number][place]))

    def cascades(self, resource, field, values, line, ours):
        """Returns whether the parent of a record is there, but rejected."""
        relation = next(each for each in resource.relations if each.field == field)
        wanted = contract.canonical(resource, values[resource.name][line], field)
        parent = next(each for each in contract.IN_ORDER if each.name == relation.parent)
        rejected = {each[0] for each in ours.of(parent.name)}
        there = {number for number, each in values[parent.name].items() if contract.canonical(parent, each, parent.key[0]) == wanted}
        return bool(there) and there <= rejected

    def test_history(self):
        """An initial set."""
        self.assertGreater(self.check(rows=1000, seed=5, faults=0.05), 250)

    def test_other_order(self):
        """A set with its columns turned round."""
        self.assertGreater(self.check(turned=True, rows=100, seed=8, faults=0.3), 200)


if __name__ == "__main__":
    unittest.main()
