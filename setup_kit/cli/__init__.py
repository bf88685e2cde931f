"""The command line: parses, calls, prints.

What the modules here import is loaded when a command needs it, so that help and completion are quick.
"""

from __future__ import annotations

import atexit
import os
import sys
from typing import NoReturn


def main() -> None:
    """The console script."""
    if sys.argv[1:] in (["--help"], ["-h"]) and "_SETUP_KIT_COMPLETE" not in os.environ:
        from setup_kit.cli.front import columns, page

        print(page(columns()))
        code = 0
    else:
        from setup_kit.cli.root import run

        code = run()
    _end(code)


def _end(code: int) -> NoReturn:
    """Ends the process at once: taking everything that was loaded apart again takes as long as a short command."""
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        forget_output()
    sys.stderr.flush()
    os._exit(code)


def forget_output() -> None:
    """Ends quietly, as other tools do, when the reader of a pipe has gone (`| head`)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
