"""The mends in S3 and Lambda."""

import io
import json
import os
import shutil
import tempfile
import unittest
import zipfile
from unittest import mock
from urllib.parse import unquote

from ministack.core import lambda_runtime
from ministack.services import eventbridge, lambda_svc

import files
import functions
from harness import StepFunctionsTest, s3, sfn, task


class ObjectsTest(unittest.TestCase):
    def setUp(self):
        s3.reset()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for name, value in (("S3_PERSIST", True), ("DATA_DIR", folder.name)):
            self.addCleanup(setattr, s3, name, getattr(s3, name))
            setattr(s3, name, value)
        s3._create_bucket("work", b"", {})
        s3._bucket_versioning["work"] = "Enabled"
        self.first = self.put(b"0123456789")
        self.second = self.put(b"abcdef")

    def put(self, body, **headers):
        """Writes work/key; returns the version."""
        return s3._put_object("work", "key", body, headers)[1]["x-amz-version-id"]

    def get(self, spread=None, version=None):
        """GetObject of work/key."""
        headers = {"range": f"bytes={spread}"} if spread else {}
        return s3._get_object("work", "key", headers, {"versionId": [version]} if version else {})

    def test_range_of_a_version(self):
        for version, spread, want, content_range in (
                (self.first, "2-4", b"234", "bytes 2-4/10"), (self.first, "8-99", b"89", "bytes 8-9/10"),
                (self.first, "-3", b"789", "bytes 7-9/10"), (self.second, "1-2", b"bc", "bytes 1-2/6"),
                (None, "4-", b"ef", "bytes 4-5/6")):
            with self.subTest(version=version, spread=spread):
                status, headers, body = self.get(spread, version)
                self.assertEqual((status, body, headers["Content-Range"], headers["Content-Length"]),
                                 (206, want, content_range, str(len(want))))

    def test_range_beyond_the_end(self):
        status, headers, _ = self.get("10-", self.first)
        self.assertEqual((status, headers["Content-Range"]), (416, "bytes */10"))

    def test_whole_versions(self):
        self.assertEqual(self.get(version=self.first)[2], b"0123456789")
        self.assertEqual(self.get()[2], b"abcdef")
        self.assertEqual(self.get(version="none")[0], 404)

    def hand_over(self, version=None, **headers):
        """GetObject of work/key for the front: the status and the bytes that it is told to send."""
        status, answer, body = s3._get_object("work", "key", {files.HAND_OVER: "1", **headers}, {"versionId": [version]} if version else {})
        if files.FILE not in answer:
            return status, body
        self.assertEqual((body, answer["Content-Length"]), (b"", "0"))
        inode, changed, start, length = map(int, answer[files.PART].split())
        with open(unquote(answer[files.FILE]), "rb") as file:
            meant = os.fstat(file.fileno())
            self.assertEqual((inode, changed), (meant.st_ino, meant.st_mtime_ns))
            file.seek(start)
            return status, file.read(length)

    def test_handed_over(self):
        self.assertEqual(self.hand_over(), (200, b"abcdef"))
        self.assertEqual(self.hand_over(self.first), (200, b"0123456789"))
        self.assertEqual(self.hand_over(range="bytes=1-2"), (206, b"bc"))
        self.assertEqual(self.hand_over(self.first, range="bytes=-3"), (206, b"789"))
        self.assertEqual(self.hand_over(range="bytes=9-")[0], 416)
        self.assertEqual(self.hand_over("none")[0], 404)
        self.assertEqual(self.hand_over(**{"if-match": '"other"'})[0], 412)

    def test_a_replaced_object_is_another_file(self):
        before = s3._get_object("work", "key", {files.HAND_OVER: "1"})[1]
        self.put(b"ABCDEF")
        self.assertNotEqual(s3._get_object("work", "key", {files.HAND_OVER: "1"})[1][files.PART], before[files.PART])

    def test_what_is_in_memory_is_not_handed_over(self):
        s3.S3_PERSIST = False
        self.put(b"memory")
        self.assertEqual(self.hand_over(), (200, b"memory"))

    def test_nothing_stays_in_memory(self):
        self.assertEqual([v["data"] for v in s3._object_versions[("work", "key")]], [None, None])

    def test_written_once(self):
        status, _, _ = s3._put_object("work", "key", b"x", {"if-none-match": "*"})
        self.assertEqual(status, 412)

    def test_published_check_values(self):
        # https://reveng.sourceforge.io/crc-catalogue/all.htm
        self.assertEqual(s3._crc64nvme(b"123456789"), 0xAE8B14860A799888)
        self.assertEqual(s3._crc32c(b"123456789"), 0xE3069283)

    def test_event_names_the_version(self):
        seen = []
        s3._bucket_notifications["work"] = "<EventBridgeConfiguration/>"
        self.addCleanup(setattr, eventbridge, "_rules", eventbridge._rules)
        eventbridge._rules = {"r": {"State": "ENABLED", "EventPattern": json.dumps({
            "source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": "daily/"}]}}})}}
        self.addCleanup(setattr, eventbridge, "_targets", eventbridge._targets)
        eventbridge._targets = {"r": [{"Id": "t"}]}
        self.addCleanup(setattr, eventbridge, "_invoke_target", eventbridge._invoke_target)
        eventbridge._invoke_target = lambda target, event, *_: seen.append(json.loads(event["Detail"]))
        for key in ("daily/a b+é.csv", "other/c"):
            s3._fire_s3_event("work", key, "s3:ObjectCreated:Put", 1, "e", version_id="v1", sequencer="00A1")
        self.assertEqual([(d["object"]["key"], d["object"]["version-id"], d["object"]["sequencer"]) for d in seen],
                         [("daily/a b+é.csv", "v1", "00A1")])


class FunctionsTest(StepFunctionsTest):
    def test_throttle_has_its_name(self):
        throttle = lambda_svc._throttle_response("ConcurrentInvocationLimitExceeded", "Rate Exceeded")["body"]

        def throttled(name, event):
            raise sfn._ExecutionError("Lambda.Unknown", json.dumps(throttle))

        self.replace(sfn, "_call_lambda", lambda name, event: functions.call_lambda(throttled, name, event))
        arn = self.start(self.machine({"A": task("a", End=True)}))
        self.assertEqual(self.wait(arn, "FAILED")["error"], "Lambda.TooManyRequestsException")

    def test_small_packets_go_at_once(self):
        import queue
        worker = lambda_runtime.ProvidedWorker("f", {}, b"")
        self.assertTrue(worker._build_handler_class(1, queue.Queue()).disable_nagle_algorithm)

    def test_a_package_is_hashed_once(self):
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("bootstrap", "#!/bin/sh")
        package = package.getvalue()
        with tempfile.TemporaryDirectory() as cache:
            self.replace(lambda_svc, "_PROVIDED_CODE_CACHE", cache)
            folder = lambda_svc._provided_runtime_code_dir(package)
            with mock.patch.object(lambda_svc.hashlib, "sha256", side_effect=AssertionError("hashed again")):
                self.assertEqual(lambda_svc._provided_runtime_code_dir(package), folder)
            shutil.rmtree(folder)
            self.assertEqual(lambda_svc._provided_runtime_code_dir(package), folder)
            self.assertTrue(os.access(os.path.join(folder, "bootstrap"), os.X_OK))

    def test_a_package_is_unpacked_when_it_is_deployed(self):
        unpacked = mock.Mock(side_effect=zipfile.BadZipFile)
        self.replace(lambda_svc, "_provided_runtime_code_dir", unpacked)
        self.addCleanup(lambda_svc._functions.pop, "f", None)
        for runtime in ("provided.al2023", "python3.13"):
            lambda_svc._functions["f"] = {"config": {"FunctionName": "f", "Runtime": runtime}, "code_zip": b"zip"}
            lambda_svc.invalidate_worker("f")
        lambda_svc.invalidate_worker("unknown")
        unpacked.assert_called_once_with(b"zip")

    def test_log_is_drained(self):
        worker = lambda_runtime.ProvidedWorker("f", {}, b"")
        worker._stderr_queue.put("line")
        self.assertEqual(worker._drain_stderr_bounded(), "line")
        self.assertEqual(worker._drain_stderr_bounded(first_line_wait=0.1), "")

    def test_no_line_of_the_log_is_lost(self):
        import queue
        import subprocess
        import sys
        import threading
        worker = lambda_runtime.ProvidedWorker("f", {}, b"")
        worker._stderr_queue = queue.Queue(maxsize=lambda_runtime._PROVIDED_LOG_MAX_LINES)
        program = "import sys; [print('é', n) for n in range(50000)]; sys.stdout.flush(); sys.stdin.read(); print('end', end='')"
        child = subprocess.Popen([sys.executable, "-X", "utf8", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        reader = threading.Thread(target=worker._pump_output, args=(child.stdout, worker._stderr_queue))
        reader.start()
        lines = []
        while len(lines) < 50000:  # the test does not see when the child has written
            lines += worker._drain_stderr_bounded().split()[1::2]
        self.assertEqual(lines, [str(n) for n in range(50000)])
        child.stdin.close()
        child.wait()
        reader.join()
        self.assertEqual(worker._drain_stderr_bounded(), "end")


if __name__ == "__main__":
    unittest.main()
