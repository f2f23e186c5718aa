"""Has the loader's own source ask a service by spyne, in both versions of SOAP (peer_test.go)."""

import os
import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]


class SpyneTest(unittest.TestCase):
    def test_loader_asks_spyne(self):
        service = subprocess.Popen([sys.executable, HERE / "spyne_service.py"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(service.stdout.close)
        self.addCleanup(service.wait)
        self.addCleanup(service.terminate)
        url = service.stdout.readline().strip()
        done = subprocess.run(["go", "test", "-count=1", "-tags", "e2e", "-run", "TestAnswers|TestFaults", "./infra/proof/soap"], cwd=ROOT, env={**os.environ, "SOAP_PEER": url},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=600)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
