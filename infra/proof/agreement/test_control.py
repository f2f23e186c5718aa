"""Holds docs/control-schema.json to the example that the product writes, and to
the files that its parser accepts and refuses (internal/totals/testdata)."""

import json
import pathlib
import unittest

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "internal/totals/testdata"


def schema():
    return json.loads((ROOT / "docs/control-schema.json").read_text("utf-8"))


class Control(unittest.TestCase):
    def setUp(self):
        jsonschema.Draft202012Validator.check_schema(schema())
        self.validator = jsonschema.Draft202012Validator(schema())

    def valid(self, path):
        return self.validator.is_valid(json.loads(path.read_text("utf-8")))

    def test_what_the_product_writes(self):
        self.assertTrue(self.valid(ROOT / "docs/control-example.json"))

    def test_accepted(self):
        paths = sorted((EXAMPLES / "accepted").glob("*.json"))
        self.assertTrue(paths)
        for path in paths:
            self.assertTrue(self.valid(path), path.name)

    def test_refused(self):
        paths = sorted((EXAMPLES / "refused").glob("*.json"))
        self.assertTrue(paths)
        for path in paths:
            self.assertFalse(self.valid(path), path.name)


if __name__ == "__main__":
    unittest.main()
