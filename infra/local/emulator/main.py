"""Runs the emulator with the extension, as `stack.py up` does.

All settings come from the environment, see stack.py. Ends on SIGTERM, after
the state is saved.
"""

import gc
import sys

import extension

# Objects that are made before the next look for cycles. By default it is 700, and the emulator
# spends its time looking through what it will always hold.
GC_THRESHOLD = 50_000


def main():
    """Installs the extension, then serves until SIGTERM or SIGINT."""
    extension.install()
    from ministack import app
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    sys.argv = ["ministack"]
    app.main()


if __name__ == "__main__":
    main()
