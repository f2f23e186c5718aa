"""Checks signatures of requests that the front had to change.

The front takes the bytes of parts away and asks for whole objects, so it
changes headers that the client has signed. It says in SIGNED how the request
arrived: the method, and the headers that the signature covers. The signature is
checked for that; everything else goes by the request as it is.
"""

import base64
import functools
import json

from ministack import app

SIGNED = b"x-front-signed"


def install():
    """Lets the emulator check signatures for the requests that the front received."""
    app.pin_signed_request = functools.partial(pin_signed_request, app.pin_signed_request)


def pin_signed_request(original, method, raw_path, query_params, raw_headers, *rest, **more):
    """Keeps a request for its signature check, as it was before the front changed it."""
    signed = next((value for name, value in raw_headers if name.lower() == SIGNED), None)
    if signed is not None:
        arrived = json.loads(base64.b64decode(signed))
        method = arrived["method"]
        changed = {name.encode(): value.encode() for name, value in arrived["headers"].items()}
        raw_headers = [(name, value) for name, value in raw_headers if name.lower() not in changed]
        raw_headers.extend(changed.items())
    return original(method, raw_path, query_params, raw_headers, *rest, **more)
