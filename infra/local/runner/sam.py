"""The sam command with quick compression: `python -P sam.py deploy …`.

sam packs every function into a ZIP file at Python's default level, a second a
function; the emulator is on the same machine, so the quickest level will do.
"""

import functools
import sys
import zipfile


def main():
    """Runs sam with the arguments of this process."""
    zipfile.ZipFile.__init__ = functools.partialmethod(zipfile.ZipFile.__init__, compresslevel=1)
    from samcli.cli.main import cli
    sys.argv[0] = "sam"
    cli(prog_name="sam")


if __name__ == "__main__":
    main()
