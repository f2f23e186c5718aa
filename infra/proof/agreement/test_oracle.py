"""Compares `etlctl contract check` with the oracle, error by error.

The oracle is what imports are compared with (infra/proof/e2e, `make proof`), so
whoever checks files before they are deposited sees what an import would reject.
Nothing is cut out here, and all three formats take part.
"""

import sys
import tempfile
import unittest

import engines
from test_planted import generate

sys.path.insert(0, str(engines.ROOT / "infra" / "proof" / "oracle"))

import oracle  # noqa: E402


class Oracle(unittest.TestCase):
    """Sets of ten files with a fault of every kind."""

    def test_same_errors(self):
        """Every error is found by both, and by neither alone."""
        for options in ({"seed": 3}, {"seed": 4, "format": "mixed"}, {"seed": 5, "format": "mixed"}):
            with self.subTest(options), tempfile.TemporaryDirectory() as folder:
                files = generate(folder, rows=400, faults=0.1, **options)
                ours, verdict = engines.product(folder, files), oracle.judge(folder)
                self.assertEqual(ours.faults, {})
                found = 0
                for name, result in verdict.items():
                    wanted = {(each["line"], field, rule) for each in result["rejects"] for field, rule in each["errors"]}
                    self.assertEqual({(line, field.replace(", ", ","), rule) for line, field, rule in ours.of(name)}, wanted, name)
                    found += len(wanted)
                self.assertGreater(found, 400)


if __name__ == "__main__":
    unittest.main()
