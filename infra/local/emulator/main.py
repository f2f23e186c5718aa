"""Runs the emulator with the extension: what `stack.py up` starts.

All settings come from the environment, see stack.py. Ends on SIGTERM, after
the state is saved.
"""

import signal
import sys


def main():
    """Installs the extension, then serves until SIGTERM or SIGINT."""
    import extension
    extension.install()
    from ministack import app
    sys.argv = ["ministack"]
    app.main()


if __name__ == "__main__":
    main()
