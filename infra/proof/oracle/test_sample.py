"""The generator and the oracle, each the other's test.

They share no code: what the one plants, the other must find on its line, and
find nothing else.
"""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import contract
import linecount
import oracle

ROOT = pathlib.Path(__file__).resolve().parents[3]


class Samples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.program = os.path.join(cls.temporary.name, "sample")
        subprocess.run(["go", "build", "-o", cls.program, "./infra/local/sample"], cwd=ROOT, check=True)

    def make(self, *options):
        """Makes a set and returns its folder."""
        folder = tempfile.mkdtemp(dir=self.temporary.name)
        command = [self.program, "-out", folder, *map(str, options)]
        subprocess.run(command, check=True, capture_output=True)
        return folder

    def compare(self, folder, prior=()):
        """Asserts that the rejects are the planted faults; returns the latter."""
        planted = {}
        with open(os.path.join(folder, "planted.json"), encoding="utf-8") as file:
            entries = json.load(file)
        for entry in entries:
            planted.setdefault((entry["file"], entry["line"]), set()).add((entry["field"], entry["rule"]))
        found, read = {}, 0
        for result in oracle.judge(folder, prior).values():
            self.assertNotIn("fault", result)
            self.assertEqual(result["read"], result["valid"] + result["rejected"])
            read += result["read"]
            self.count_lines(folder, result["file"])
            for reject in result["rejects"]:
                found[result["file"], reject["line"]] = set(map(tuple, reject["errors"]))
        self.assertEqual(sorted(found), sorted(planted))
        for place, rules in planted.items():
            self.assertLessEqual(rules, found[place], place)
        return entries, read

    def count_lines(self, folder, file):
        """Asserts that each line is what the generator wrote it for."""
        with open(os.path.join(folder, "lines.json"), encoding="utf-8") as lines:
            wanted = json.load(lines).get(file)
        if wanted is None:
            return  # an array has no lines
        path = os.path.join(folder, file)
        resource = contract.PREFIXES[file.rsplit("_", 1)[0]]
        found = linecount.count(path, [line for line, _, _ in contract.records(path, resource)])
        self.assertEqual(found.pop("lines"), sum(wanted.values()), file)
        self.assertEqual(found, wanted, file)

    def test_sound(self):
        for layout in ("csv", "mixed"):
            first = self.make("-rows", 300, "-format", layout)
            next_day = self.make(
                "-rows", 60, "-format", layout, "-mode", "daily", "-date", "2024-10-08", "-history-rows", 300
            )
            for entries, read in (self.compare(first), self.compare(next_day, [first])):
                self.assertEqual(entries, [])
                self.assertGreater(read, 500)

    def test_planted(self):
        for seed, layout in ((1, "csv"), (2, "mixed"), (3, "mixed"), (4, "csv")):
            with self.subTest(seed=seed):
                first = self.make("-rows", 200, "-seed", seed, "-format", layout, "-faults", "0.01")
                daily = ("-mode", "daily", "-rows", 50, "-seed", seed, "-history-rows", 200, "-format", layout)
                second = self.make(*daily, "-date", "2024-10-08", "-faults", "0.2")
                third = self.make(*daily, "-date", "2024-10-09", "-faults", "1", "-empty", "return_data")
                self.compare(first)
                self.compare(second, [first])
                self.compare(third, [first, second])

    def test_first_day_without_history(self):
        self.compare(self.make("-mode", "daily", "-rows", 40, "-faults", "0.05"))

    def test_every_rule_is_planted(self):
        """Each rule that this folder's contracts know is broken somewhere."""
        planted = set()
        for layout in ("csv", "mixed"):
            entries, _ = self.compare(self.make("-rows", 30, "-format", layout, "-faults", "0.001"))
            planted |= {(entry["file"].rsplit("_", 1)[0], entry["field"], entry["rule"]) for entry in entries}
        for resource in contract.IN_ORDER:
            wanted = {(",".join(resource.key), "primaryKey")}
            wanted |= {(column, "unique") for column in resource.unique}
            wanted |= {(relation.field, "foreignKey") for relation in resource.relations}
            wanted |= {("", fault) for fault in ("fields", "quote", "encoding", "nul")}
            for each in resource.fields:
                if each.required:
                    wanted.add((each.name, "required"))
                if each.kind != "string":
                    wanted.add((each.name, "type"))
                wanted |= {(each.name, rule) for rule in probe_rules(each)}
            for field, rule in wanted:
                if (resource.file_type, field, rule) in planted:
                    continue
                self.fail(f"{resource.file_type}: {field} {rule} is not planted")
        for rule in RULES_BETWEEN_FIELDS:
            self.assertTrue(any(rule == each[2] for each in planted), rule)
        self.assertTrue(any(each[2] == "size" for each in planted))
        self.assertTrue(any(each[2] == "json" for each in planted))


RULES_BETWEEN_FIELDS = (
    "birth_date_not_after_file",
    "sale_date_not_after_file",
    "amount_equals_product",
    "iban_valid",
    "iban_required",
    "quantity_at_most_sold",
    "left_on_not_before_hired_on",
    "cycle",
)


def probe_rules(field):
    """Returns the rules of a field's check, found by trying extreme values."""
    rules = set()
    for probe in ("-1", "0", "9" * 30, "é" * 500, "inconnu", "#"):
        rules.update(field.check(probe))
    return rules - {"type"}


if __name__ == "__main__":
    unittest.main()
