"""Holds the list of decided differences and the document that explains them together."""

import pathlib
import re
import unittest

import cases
import differences
import engines


class Differences(unittest.TestCase):
    """Every difference has its reason, and its case."""

    def test_document(self):
        """docs/agreement.md has one row for each difference, with a reason."""
        text = (engines.ROOT / "docs" / "agreement.md").read_text(encoding="utf-8")
        rows = re.findall(r"^\| `([a-z-]+)` \|(.*)\|(.*)\|(.*)\|$", text, re.MULTILINE)
        self.assertEqual(sorted(row[0] for row in rows), sorted(differences.ALL))
        for name, *cells in rows:
            self.assertTrue(all(cell.strip() for cell in cells), name)

    def test_cases(self):
        """Each difference is in some case: of values, or named by a test of records."""
        here = pathlib.Path(__file__).parent
        used = {decided for texts in cases.BY_FIELD.values() for _, decided in texts}
        used |= {getattr(differences, name) for name in re.findall(r"\bd\.([A-Z_]+)\b", (here / "test_records.py").read_text(encoding="utf-8"))
                 if name != "ALL"}
        self.assertEqual(used - {None}, differences.ALL)


if __name__ == "__main__":
    unittest.main()
