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

        code = 0
        try:
            print(page(columns()))
        except OSError as error:
            code = _lost(error, code)
    else:
        from setup_kit.cli.root import run

        code = run()
    _end(code)


def _end(code: int) -> NoReturn:
    """Ends the process at once: taking everything that was loaded apart again takes as long as a short command."""
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except OSError as error:
        code = _lost(error, code)
    sys.stderr.flush()
    os._exit(code)


def _lost(error: OSError, code: int) -> int:
    """The exit code where standard output takes no more, of which nothing is said where its reader has gone."""
    forget_output()
    if code or isinstance(error, BrokenPipeError):
        return code
    print(f"error: what was to be printed could not be written: {error}", file=sys.stderr)
    return 1


def forget_output() -> None:
    """Ends quietly, as other tools do, when the reader of a pipe has gone (`| head`)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
