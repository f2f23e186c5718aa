"""Holds the stand-in for the enrichment API (infra/local/enrichment) against its OpenAPI document, by schemathesis.

The examples are bounded and the same in every run; nothing but the stand-in is asked. It must have been built (`make build`).
The environment is of its own (`stack.py schemathesis`), so that the local stack does not depend on what judges it.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import urllib.request

import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup

ROOT = pathlib.Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "enrichment" / "clients-openapi.yaml"
SERVER = ROOT / "build" / "local" / "enrichment"
HEADERS = {"X-Api-Key": "k"}
KEYS = [str(1000 + n) for n in range(50)]


class StandInTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        credentials = self.folder / "credentials.json"
        credentials.write_text(json.dumps({"type": "header", "name": "X-Api-Key", "value": "k"}))
        process = subprocess.Popen([SERVER, "-addr", "127.0.0.1:0", "-credentials", credentials], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        self.url = process.stdout.readline().split()[-1]
        self.document = schemathesis.openapi.from_path(DOCUMENT)
        self.document.config.update(base_url=self.url)

    def tell(self, mode, **order):
        """Gives the server an order."""
        request = urllib.request.Request(f"{self.url}/faults", json.dumps({"mode": mode, **order}).encode(),
                                         {"Content-Type": "application/json"}, method="POST")
        with urllib.request.urlopen(request, timeout=10):
            pass

    def run_all(self, *options):
        """Runs schemathesis on the document."""
        done = subprocess.run(
            [pathlib.Path(sys.executable).parent / "schemathesis", "run", DOCUMENT, "--url", self.url, "--header", "X-Api-Key: k",
             "--max-examples", "30", "--generation-deterministic", "--no-color", *options],
            cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=600)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def call(self, path, method, excluded=(), **case):
        """Makes one call; raises what is wrong with the answer."""
        return self.document[path][method].Case(headers=HEADERS, **case).call_and_validate(excluded_checks=list(excluded))

    def batch(self, excluded=()):
        return self.call("/v1/clients:batch", "POST", excluded, body={"keys": KEYS}, media_type="application/json")

    def test_answers(self):
        self.run_all()

    def test_jobs(self):
        self.tell("job", polls=1)
        self.run_all("--include-path", "/v1/clients:batch")
        accepted = self.batch()
        job = accepted.headers["location"][0].removeprefix("/v1/jobs/")
        answers = [self.call("/v1/jobs/{job}", "GET", path_parameters={"job": job}) for _ in range(3)]
        self.assertEqual([accepted.status_code, *(a.status_code for a in answers)], [202, 202, 200, 404])
        self.assertEqual([r["key"] for r in answers[1].json()["results"]], KEYS)

    def test_documented_faults(self):
        for mode, status in {"throttled": 429, "throttled_date": 429, "throttled_silent": 429, "unavailable": 503, "error500": 500,
                             "unauthorized": 401, "unknown_members": 200, "half": 200, "reordered": 200, "doubled": 200}.items():
            with self.subTest(mode):
                self.tell(mode)
                self.assertEqual(self.batch(excluded=[not_a_server_error]).status_code, status)

    def test_faults_that_break_the_document(self):
        for mode in ("garbage", "error_body", "content_type", "redirect", "bad_record", "out_of_range", "huge_number"):
            with self.subTest(mode):
                self.tell(mode)
                with self.assertRaises(FailureGroup):
                    self.batch()


if __name__ == "__main__":
    unittest.main()
