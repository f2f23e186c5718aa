"""Servers of the Lambda runtime API wait long and end at once."""

import socketserver
import threading
import unittest
from unittest import mock

import servers
from harness import StepFunctionsTest  # noqa: F401  installs the extension


class ServersTest(unittest.TestCase):
    def test_ends_without_waiting_for_its_interval(self):
        with mock.patch.object(servers, "WAIT_SECONDS", 3600), \
                socketserver.ThreadingTCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
            thread.start()
            server.shutdown()
            thread.join(60)
            self.assertFalse(thread.is_alive())


if __name__ == "__main__":
    unittest.main()
