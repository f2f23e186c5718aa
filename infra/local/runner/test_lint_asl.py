"""The linter of state machines lets AWS's own forms pass and nothing else."""

import json
import unittest

import lint_asl


def machine(**state):
    """A definition with one distributed Map of one task."""
    task = {"Type": "Task", "Resource": "${LoadFunctionArn}", "End": True, "TimeoutSeconds": 5, "Retry": [
        {"ErrorEquals": ["Transient"], "IntervalSeconds": 2, "MaxAttempts": 5, "BackoffRate": 2,
         "MaxDelaySeconds": 60, "JitterStrategy": "FULL"}]}
    return json.dumps({"StartAt": "Raw", "States": {"Raw": {
        "Type": "Map", "Label": "Raw", "End": True, "MaxConcurrencyPath": "$.width",
        "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSONL"},
                       "Parameters": {"Bucket.$": "$.bucket", "Key": "${Prefix}/manifest.jsonl"}},
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                          "StartAt": "Load", "States": {"Load": {**task, **state}}}}}})


class LintTest(unittest.TestCase):
    def test_accepts_what_aws_accepts(self):
        self.assertEqual(lint_asl.findings(machine()), [])

    def test_finds_faults(self):
        self.assertIn('Field "Timeout" not allowed', lint_asl.findings(machine(Timeout=5))[0])
        self.assertTrue(lint_asl.findings(machine(Next="Nowhere")))
        self.assertTrue(lint_asl.findings(machine(Retry=[{"ErrorEquals": ["X"], "MaxAttempt": 1}])))
        self.assertIn("not JSON", lint_asl.findings("{")[0])
        self.assertEqual(lint_asl.findings("[]"), ["not a JSON object"])


if __name__ == "__main__":
    unittest.main()
