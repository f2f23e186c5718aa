"""Faults on demand: when each strikes, and that it strikes no more often than asked."""

import asyncio
import functools
import json
import os
import socket
import threading
import types
import unittest

from harness import StepFunctionsTest, sfn, task

import faults

STAGE = "arn:aws:lambda:eu-west-1:000000000000:function:etl-StageFunction-0A1B"
SENDER = {"user-agent": "aws-sdk-go-v2/1.40 os/linux app/StageFunction.4711 m/E"}


class FaultsTest(StepFunctionsTest):
    def setUp(self):
        super().setUp()
        self.replace(sfn, "_call_lambda", functools.partial(faults.call_lambda, self.functions))
        self.addCleanup(faults.disarm, {})

    def arm(self, kind, **more):
        """Arms a fault through the endpoint, as the harness does."""
        return self.call("ArmFault", kind=kind, function="StageFunction", **more)

    def run_machine(self, *statuses, **more):
        """Runs a machine of one task to one of the statuses; returns DescribeExecution."""
        arn = self.start(self.machine({"A": task(STAGE, End=True, **more)}), {"kind": "staging"})
        return self.wait(arn, *statuses)

    def struck(self):
        return self.call("DescribeFault")["struck"]


class CallsTest(FaultsTest):
    def test_nothing_is_armed(self):
        self.run_machine("SUCCEEDED")
        self.assertEqual((self.functions.count(STAGE), self.struck()), (1, 0))

    def test_fail_strikes_before_the_call(self):
        self.arm("fail")
        self.assertEqual(self.run_machine("FAILED")["error"], "Unexpected")
        self.assertEqual((self.functions.count(STAGE), self.struck()), (0, 1))

    def test_lose_strikes_after_the_call(self):
        self.arm("lose")
        self.run_machine("FAILED")
        self.assertEqual((self.functions.count(STAGE), self.struck()), (1, 1))

    def test_times(self):
        self.arm("fail", times=2)
        retry = [{"ErrorEquals": ["Unexpected"], "IntervalSeconds": 1, "MaxAttempts": 5}]
        self.run_machine("SUCCEEDED", Retry=retry)
        self.assertEqual((self.functions.count(STAGE), self.struck()), (1, 2))

    def test_other_events_of_the_function_are_left_alone(self):
        self.arm("fail", where={"kind": "target"})
        self.run_machine("SUCCEEDED")

    def test_events_are_told_by_their_members(self):
        self.arm("fail", where={"kind": "staging"})
        self.run_machine("FAILED")

    def test_another_function_is_left_alone(self):
        self.call("ArmFault", kind="fail", function="OpenFunction")
        self.run_machine("SUCCEEDED")

    def test_late_leaves_the_function_behind(self):
        goes_on = threading.Event()
        self.addCleanup(goes_on.set)
        self.functions.on(STAGE, lambda event: goes_on.wait(10) and event)
        self.arm("late")
        self.assertEqual(self.run_machine("FAILED")["error"], "States.Timeout")
        self.assertEqual(self.call("DescribeFault")["running"], 1)
        goes_on.set()
        self.until(lambda: self.call("DescribeFault")["running"] == 0, "the end of the function")

    def test_twice_calls_twice_at_once(self):
        both = threading.Barrier(2, timeout=10)
        self.functions.on(STAGE, lambda event: both.wait() is not None and event)
        self.arm("twice")
        self.run_machine("SUCCEEDED")
        self.assertEqual(self.functions.count(STAGE), 2)

    def test_hold_waits_for_the_release(self):
        self.arm("hold")
        arn = self.start(self.machine({"A": task(STAGE, End=True)}))
        self.until(lambda: self.call("DescribeFault")["held"] == 1, "the hold")
        self.assertEqual(self.functions.count(STAGE), 0)
        self.call("ReleaseFault")
        self.wait(arn, "SUCCEEDED")
        self.assertEqual((self.functions.count(STAGE), self.call("DescribeFault")["held"]), (1, 0))

    def test_a_new_fault_releases_the_one_before(self):
        self.arm("hold")
        arn = self.start(self.machine({"A": task(STAGE, End=True)}))
        self.until(lambda: self.call("DescribeFault")["held"] == 1, "the hold")
        self.arm("fail", times=0)
        self.wait(arn, "SUCCEEDED")


class RequestsTest(FaultsTest):
    def setUp(self):
        super().setUp()
        self.saved, self.killed = [], []
        process = types.SimpleNamespace(runtime=4711, handle=types.SimpleNamespace(
            kill=lambda: self.killed.append(4711), wait=lambda: None))
        self.replace(faults, "processes", lambda: [process])

    async def original(self, method, path, headers, *rest, **more):
        """S3 or KMS without a fault."""
        self.saved.append(path)
        return 200, {}, b""

    def s3(self, method="PUT", headers=None):
        """The status of a request to S3."""
        return asyncio.run(faults.s3_request(self.original, method, "/b/k", SENDER if headers is None else headers))[0]

    def test_s3_refuses_one_function(self):
        self.arm("refuse_s3")
        self.assertEqual(self.s3("GET", {"user-agent": "app/OpenFunction.4711"}), 200)
        self.assertEqual(self.s3("GET", {}), 200)
        self.assertEqual([self.s3("GET"), self.s3("GET")], [500, 200])

    def test_kms_refuses(self):
        self.arm("refuse_kms")
        status, _, body = asyncio.run(faults.kms_request(self.original, "POST", "/", SENDER))
        self.assertEqual((status, json.loads(body)["__type"]), (400, "AccessDeniedException"))

    def test_of_two_kills_the_second_is_saved(self):
        self.arm("kill_put", times=2)
        self.s3("GET")
        self.assertEqual((self.killed, len(self.saved)), ([], 1))
        self.s3()
        self.assertEqual((self.killed, len(self.saved)), ([4711], 1))
        self.s3()
        self.assertEqual((self.killed, len(self.saved)), ([4711, 4711], 2))

    def test_hold_put_waits_for_the_release(self):
        self.arm("hold_put")
        thread = threading.Thread(target=self.s3)
        thread.start()
        self.until(lambda: self.call("DescribeFault")["held"] == 1, "the hold")
        self.assertEqual(self.saved, [])
        self.call("ReleaseFault")
        thread.join(10)
        self.assertEqual(self.saved, ["/b/k"])


class ProcessTest(unittest.TestCase):
    def test_a_process_is_known_by_its_connection(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            to = server.getsockname()[1]
            with socket.create_connection(("127.0.0.1", to)) as client:
                port = client.getsockname()[1]
                worker = types.SimpleNamespace(
                    func_name=STAGE, _proc=types.SimpleNamespace(pid=os.getpid()),
                    _server=types.SimpleNamespace(server_address=("127.0.0.1", 4711)))
                process = faults.Process(worker)
                self.assertEqual((process.function, process.runtime), ("StageFunction", 4711))
                self.assertTrue(process.has_connection(port, to))
                self.assertFalse(process.has_connection(port, port))
                self.assertFalse(process.has_connection(to, to))


class NamesTest(unittest.TestCase):
    def test_logical_id(self):
        self.assertEqual(faults.logical_id(STAGE), "StageFunction")
        self.assertEqual(faults.logical_id("etl-chaos-CrosscheckFunction"), "CrosscheckFunction")
        self.assertIsNone(faults.logical_id("something-else"))

    def test_the_environment_names_the_sender(self):
        made = faults.worker_environment(lambda config, folder, port: {"A": "b"}, {"FunctionName": STAGE}, "/", 4711)
        self.assertEqual(made, {"A": "b", "AWS_SDK_UA_APP_ID": "StageFunction.4711"})
        self.assertEqual(faults.sender({"user-agent": f"x app/{made['AWS_SDK_UA_APP_ID']} y"}), ("StageFunction", 4711))
        self.assertEqual(faults.sender({}), (None, 0))


if __name__ == "__main__":
    unittest.main()
