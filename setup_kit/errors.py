"""What can go wrong, said so that the reader knows what to do next."""

from __future__ import annotations

import errno
import os
from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    DONE = 0
    FAILED = 1
    USAGE = 2
    CHANGES_PENDING = 3
    VERIFICATION_FAILED = 4
    INTERRUPTED = 130


EXIT_CODES = {
    ExitCode.DONE: "done, or nothing to do",
    ExitCode.FAILED: "something failed; running the same command again finishes the job when the cause is mended",
    ExitCode.USAGE: "the command line or the environment file is at fault; nothing was sent",
    ExitCode.CHANGES_PENDING: "there are changes to make: only with --detailed-exitcode",
    ExitCode.VERIFICATION_FAILED: "a verification or a check of a runbook found something wrong",
    ExitCode.INTERRUPTED: "interrupted; running the same command again finishes the job",
}


# Of several environments the command's code is the first of these that one of them ended with.
WORST_FIRST = (
    ExitCode.INTERRUPTED,
    ExitCode.FAILED,
    ExitCode.USAGE,
    ExitCode.VERIFICATION_FAILED,
    ExitCode.CHANGES_PENDING,
    ExitCode.DONE,
)


class KitError(Exception):
    """A failure to be shown to a person.

    what      what happened, on what: one sentence that names the thing.
    why       the cause, where it is known.
    remedy    the next step: a command or a setting.
    link      a page to read on; shown in grey.
    original  the text of the service, driver or library, word for word; shown in grey. Never holds a secret.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, what: str, *, why: str = "", remedy: str = "", link: str = "", original: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.remedy = remedy
        self.link = link
        self.original = original


class OutputError(KitError):
    """Standard output takes no more."""


class UsageError(KitError):
    """The command line or the environment file is at fault; nothing was sent."""

    exit_code = ExitCode.USAGE


# What the system answers where a file stands in a folder's place, or where something may not or cannot be written.
_IN_THE_WAY = (errno.ENOTDIR, errno.EEXIST, errno.EISDIR)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_NOT_USABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP, *_FULL, *_IN_THE_WAY)


def of_place(error: OSError) -> KitError | None:
    """The failure where a file or folder cannot be used; None where the error is not about one."""
    if not isinstance(error.filename, str | bytes | os.PathLike) or error.errno not in _NOT_USABLE:
        return None
    path = Path(os.fsdecode(error.filename))
    remedy = "give yourself the right to write there, or run the command in another folder"
    if error.errno in _FULL:
        remedy = "make room there, or run the command in another folder"
    if error.errno in _IN_THE_WAY:
        path = next((each for each in (path, *path.parents) if each.is_file()), path)
        remedy = "move it out of the way, or run the command in another folder"
    return KitError(f"{path} cannot be used", why=error.strerror or "", remedy=remedy, original=str(error))


def unforeseen(error: Exception) -> KitError:
    """What is said of an error that is none of the kit's own: where the machine is at fault, how to mend it."""
    if isinstance(error, OSError):
        if (told := of_place(error)) is not None:
            return told
        if error.errno in _FULL:
            remedy = "make room where the output goes, or send it elsewhere"
            return OutputError("what was to be printed could not be written", remedy=remedy, original=str(error))
    remedy = "this is a defect of setup-kit; run the same command with -v and report what it says"
    return KitError(f"unexpected {type(error).__name__}: {error}", remedy=remedy)
