"""What can go wrong, said so that the reader knows what to do next."""

from __future__ import annotations

from enum import IntEnum


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


class UsageError(KitError):
    """The command line or the environment file is at fault; nothing was sent."""

    exit_code = ExitCode.USAGE
