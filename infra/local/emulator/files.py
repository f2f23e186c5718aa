"""Objects on disk: reads no more of their files than is asked for, and nothing that the front can read.

The front stands on the same machine. Of a GET that carries HAND_OVER it gets
the answer's headers and, in place of the body, where the bytes are: FILE names
the file and PART says which file was meant (inode and time of its last change)
and which bytes of it. An object's file is replaced, never written to, so the
bytes of an opened file that has that inode and time are those of the answer.
"""

import os
from urllib.parse import quote

HAND_OVER = "x-front-reads-files"
FILE = "x-front-file"
PART = "x-front-part"


class FileBody:
    """Bytes of a file, not read yet; a slice of them is not read either."""

    def __init__(self, path, start=0, stop=None):
        self._path, self._start = path, start
        self._stop = os.stat(path).st_size if stop is None else stop

    def __len__(self):
        return self._stop - self._start

    def __getitem__(self, part):
        start, stop, _ = part.indices(len(self))
        return FileBody(self._path, self._start + start, self._start + max(start, stop))

    def read(self):
        """The bytes."""
        with open(self._path, "rb") as file:
            file.seek(self._start)
            return file.read(len(self))

    def hand_over(self, headers):
        """Puts into an answer's headers where the bytes are."""
        file = os.stat(self._path)
        headers[FILE] = quote(self._path)
        headers[PART] = f"{file.st_ino} {file.st_mtime_ns} {self._start} {len(self)}"
        headers["Content-Length"] = "0"


def answered(request, answer):
    """An answer whose body, if it is in a file, is read or handed over."""
    status, headers, body = answer
    if not isinstance(body, FileBody):
        return answer
    if HAND_OVER not in request:
        return status, headers, body.read()
    headers = dict(headers)
    body.hand_over(headers)
    return status, headers, b""
