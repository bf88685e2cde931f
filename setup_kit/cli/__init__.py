"""The command line: parses, calls, prints.

What the modules here import is loaded when a command needs it, so that help and completion are quick.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The console script."""
    if sys.argv[1:] in (["--help"], ["-h"]) and "_SETUP_KIT_COMPLETE" not in os.environ:
        from setup_kit.cli.front import columns, page

        try:
            print(page(columns()), flush=True)
        except BrokenPipeError:
            forget_output()
    else:
        from setup_kit.cli.root import run

        sys.exit(run())


def forget_output() -> None:
    """Ends quietly, as other tools do, when the reader of a pipe has gone (`| head`)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
