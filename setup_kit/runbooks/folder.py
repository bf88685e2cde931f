"""Where runbooks lie: the kit's own, which travel in the package, and files of one's own by their path."""

from __future__ import annotations

import difflib
from pathlib import Path

from setup_kit.errors import UsageError

SUFFIX = ".md"


def folder() -> Path:
    """Inside the installed package, or at the top of the checkout."""
    package = Path(__file__).parents[1]
    installed = package / "runbook_files"
    return installed if installed.is_dir() else package.parent / "runbooks"


def available() -> list[Path]:
    return sorted(path for path in folder().glob(f"*{SUFFIX}") if path.name != "README.md")


def locate(name_or_path: str) -> Path:
    """The file that a name (of one of the kit's own) or a path means. Raises UsageError where there is none."""
    given = Path(name_or_path)
    if given.suffix == SUFFIX or len(given.parts) > 1:
        if given.is_file():
            return given
        raise UsageError(f"there is no runbook {given}", remedy="see which the kit brings: setup-kit runbook list")
    known = {path.stem: path for path in available()}
    if name_or_path in known:
        return known[name_or_path]
    near = difflib.get_close_matches(name_or_path, known, n=1, cutoff=0.4)
    raise UsageError(
        f"there is no runbook {name_or_path!r}",
        remedy=f"did you mean {near[0]}?" if near else "see which there are: setup-kit runbook list",
    )
