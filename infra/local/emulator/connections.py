"""Receives requests in larger pieces.

The server took 64 KiB at a time from a connection and made an event of each, so
that a part of 5 MiB went through the layers of the server eighty times.
"""

import asyncio.selector_events

from hypercorn.asyncio import tcp_server

RECEIVE_BYTES = 1 << 20  # at most in a piece


def install():
    """Raises how much is read from a socket, and from its buffer, at a time."""
    tcp_server.MAX_RECV = RECEIVE_BYTES
    asyncio.selector_events._SelectorTransport.max_size = RECEIVE_BYTES
