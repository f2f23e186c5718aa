"""A long request arrives whole, and may do so in pieces of more than 64 KiB."""

import asyncio
import unittest

from hypercorn.asyncio import serve, tcp_server
from hypercorn.config import Config

import connections
from harness import StepFunctionsTest  # noqa: F401  installs the extension

BODY = bytes(range(256)) * (20 << 10)  # 5 MiB


class ConnectionsTest(unittest.TestCase):
    def test_a_long_request(self):
        self.assertEqual(asyncio.run(self.exchange()), BODY)
        self.assertEqual(tcp_server.MAX_RECV, connections.RECEIVE_BYTES)

    async def exchange(self):
        """Posts BODY to a server; returns what the application got."""
        got, ended = [], asyncio.Event()

        async def app(scope, receive, send):
            if scope["type"] != "http":
                return
            while True:
                message = await receive()
                got.append(message["body"])
                if not message["more_body"]:
                    break
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        listener = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        listener.close()
        await listener.wait_closed()
        config = Config()
        config.bind = [f"127.0.0.1:{port}"]
        config.errorlog = None
        server = asyncio.create_task(serve(app, config, shutdown_trigger=ended.wait))
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
        await reader.read()
        writer.close()
        ended.set()
        await server
        return b"".join(got)


if __name__ == "__main__":
    unittest.main()
