"""Expressions of DynamoDB are read once and mean the same."""

import unittest
from unittest import mock

from ministack.services import dynamodb

import expressions
from harness import StepFunctionsTest  # noqa: F401  installs the extension


class ExpressionsTest(unittest.TestCase):
    def test_same_answers(self):
        names, values = {"#s": "status"}, {":r": {"S": "RUNNING"}}
        for expression, item, want in (("#s = :r", {"status": {"S": "RUNNING"}}, True), ("#s = :r", {"status": {"S": "DONE"}}, False),
                                       ("attribute_not_exists(#s)", {}, True), ("attribute_not_exists(#s)", {"status": {"S": "x"}}, False)):
            for _ in range(2):
                self.assertIs(dynamodb._evaluate_condition(expression, item, values, names), want)

    def test_same_refusals(self):
        for _ in range(2):
            with self.assertRaisesRegex(ValueError, "Syntax error"):
                dynamodb._evaluate_condition("#s = = :r", {}, {}, {})

    def test_read_once(self):
        read = mock.Mock(return_value=["token"])
        remembered = expressions.remembering(read, list)
        remembered("a").append("changed by a caller")
        self.assertEqual(remembered("a"), ["token"])
        self.assertEqual(read.call_count, 1)


if __name__ == "__main__":
    unittest.main()
