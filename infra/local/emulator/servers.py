"""Lets the servers of the Lambda runtime API wait without looking up ten times a second.

Every environment has such a server, and thirty of them that wait took 3 % of a
processor. What ends a server wakes it by a connection instead.
"""

import functools
import socket
import socketserver

WAIT_SECONDS = 5  # until a server looks whether it was ended, had the connection failed


def install():
    """Replaces how servers wait and are ended."""
    server = socketserver.ThreadingTCPServer
    server.serve_forever = functools.partialmethod(serve, server.serve_forever)
    server.shutdown = functools.partialmethod(shutdown, server.shutdown)


def serve(server, original, poll_interval=WAIT_SECONDS):
    """Serves until the shutdown; the interval that the emulator asks for is not needed."""
    original(server, max(poll_interval, WAIT_SECONDS))


def shutdown(server, original):
    """Ends the serving and waits for that."""
    server._BaseServer__shutdown_request = True
    try:
        socket.create_connection(server.server_address, timeout=1).close()
    except OSError:
        pass  # it ends at its next look
    original(server)
