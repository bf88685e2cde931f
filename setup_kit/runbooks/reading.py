"""From Markdown to a runbook.

A heading of the second level with an `sh` block below it is a step. `sh when CONDITION` runs only where the condition
holds. A `yaml expect` block right after a command says what it must answer; without one, exit code 0. A GitHub alert
`> [!CAUTION]` makes the step ask before it runs. Everything else is text.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from setup_kit.errors import UsageError
from setup_kit.runbooks.condition import Condition, parse_condition
from setup_kit.runbooks.expectation import Expectation, parse_expectation
from setup_kit.runbooks.front_matter import read_head
from setup_kit.runbooks.problems import Problem, RunbookError
from setup_kit.runbooks.runbook import Caution, Command, Part, Prose, Runbook, Step

MAX_BYTES = 256 * 1024
_KNOWN = "see which there are: setup-kit runbook list"
_NUMBER = re.compile(r"(\d+)\.\s+")
_ALERT = re.compile(r"\A>\s*\[!CAUTION\]\s*$", re.IGNORECASE)


def read_runbook(path: Path) -> Runbook:
    """Raises RunbookError with every problem that is found in the file, UsageError where it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"the runbook {path} cannot be read: {error.strerror}", remedy=_KNOWN) from None
    if len(data) > MAX_BYTES:
        raise UsageError(f"{path} is larger than {MAX_BYTES // 1024} kB: that is no runbook", remedy=_KNOWN)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text", remedy=_KNOWN) from None
    return parse_runbook(text, path, hashlib.sha256(data).hexdigest())


def parse_runbook(text: str, path: Path, digest: str) -> Runbook:
    """Raises RunbookError with every problem that is found in the text."""
    # As markdown-it counts lines, which knows three ends of a line where Python's splitlines knows eleven.
    lines = re.sub(r"\r\n?", "\n", text).split("\n")
    head, problems = read_head(lines)
    reader = _Reader(lines, head.lines)
    reader.read()
    problems += reader.problems
    if not problems and not reader.steps:
        problems.append(Problem(head.lines + 1, "has no step: a heading `## …` with an `sh` block below it"))
    if problems:
        raise RunbookError(path, problems)
    return Runbook(
        path.stem,
        path,
        head.title,
        head.summary,
        head.time,
        head.roles,
        head.inputs,
        reader.introduction,
        tuple(reader.steps),
        text,
        digest,
    )


@dataclass
class _Reader:
    """Goes through the blocks of the document and collects the parts of one section after the other."""

    lines: list[str]
    start: int
    problems: list[Problem] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    sections: list[str] = field(default_factory=list)
    title: str = ""
    line: int = 1
    parts: list[Part] = field(default_factory=list)

    @property
    def introduction(self) -> str:
        return "\n\n".join(self.sections)

    def read(self) -> None:
        tokens = MarkdownIt("commonmark").parse("\n".join(self.lines[self.start :]))
        for index, token in enumerate(tokens):
            if token.level > 0 or token.map is None or token.nesting < 0:
                self.nested(token)
            elif token.type == "heading_open" and token.tag == "h2":
                self.close()
                self.title, self.line = tokens[index + 1].content.strip(), self.place(token)
            else:
                self.block(token)
        self.close()

    def place(self, token: Token) -> int:
        assert token.map is not None  # noqa: S101 -- the caller has looked
        return self.start + token.map[0] + 1

    def source(self, token: Token) -> str:
        assert token.map is not None  # noqa: S101 -- the caller has looked
        begin, end = token.map
        return "\n".join(self.lines[self.start + begin : self.start + end]).rstrip()

    def nested(self, token: Token) -> None:
        if token.level > 0 and token.type == "fence" and token.map and _words(token)[:1] == ["sh"]:
            self.problem(self.place(token), "a command inside a list or a quotation: set it at the left margin")

    def problem(self, line: int, message: str) -> None:
        self.problems.append(Problem(line, message))

    def block(self, token: Token) -> None:
        words = _words(token) if token.type == "fence" else []
        source = self.source(token)
        if words[:1] == ["sh"]:
            self.command(token, words[1:])
        elif words == ["yaml", "expect"]:
            self.expect(token)
        elif token.type == "blockquote_open" and _ALERT.match(source.split("\n")[0]):
            text = "\n".join(line.removeprefix(">").removeprefix(" ") for line in source.split("\n")[1:]).strip()
            if not text:
                self.problem(self.place(token), "a caution that says nothing")
            if any(isinstance(part, Command) for part in self.parts):
                self.problem(self.place(token), "a caution stands above the step's first command")
            self.parts.append(Caution(text))
        else:
            self.parts.append(Prose(source))

    def command(self, token: Token, words: list[str]) -> None:
        line = self.place(token)
        condition: Condition | None = None
        if words[:1] == ["when"]:
            try:
                condition = parse_condition(" ".join(words[1:]))
            except ValueError as error:
                self.problem(line, str(error))
        elif words:
            self.problem(line, f"{' '.join(words)!r} after sh is not known; `sh when CONDITION` is")
        if not token.content.strip():
            self.problem(line, "a command that says nothing")
        if not self.source(token).rstrip().endswith(token.markup):
            self.problem(line, "the block has no end")
        if not self.title:
            self.problem(line, "a command above the first heading `## …`: which step is it?")
        self.parts.append(Command(token.content.rstrip("\n"), line, Expectation(), condition))

    def expect(self, token: Token) -> None:
        line = self.place(token)
        last = self.parts[-1] if self.parts else None
        if not isinstance(last, Command):
            self.problem(line, "an expectation that does not follow a command")
            return
        if last.expectation != Expectation():
            self.problem(line, "a second expectation of one command")
        try:
            expectation = parse_expectation(token.content)
        except ValueError as error:
            self.problem(line, str(error))
            return
        self.parts[-1] = replace(last, expectation=expectation)

    def close(self) -> None:
        """The section ends: a step where it has commands, else text."""
        if any(isinstance(part, Command) for part in self.parts):
            self.step()
        else:
            if any(isinstance(part, Caution) for part in self.parts):
                self.problem(self.line, f"{self.title!r} has a caution but no command")
            heading = [f"## {self.title}"] if self.title else []
            written = [part.text for part in self.parts if isinstance(part, Prose)]
            if not self.steps:
                self.sections += heading + written
            elif written:
                last = self.steps[-1]
                self.steps[-1] = replace(last, parts=(*last.parts, Prose("\n\n".join(heading + written))))
        self.parts = []

    def step(self) -> None:
        number = len(self.steps) + 1
        written = _NUMBER.match(self.title)
        if written and int(written[1]) != number:
            self.problem(self.line, f"is numbered {written[1]}, but it is step {number}")
        title = self.title[written.end() :] if written else self.title
        slug = slugged(title)
        if not re.search(r"[^\W\d]", slug):
            self.problem(self.line, "a step's heading has letters")
        if any(slug == step.slug for step in self.steps):
            self.problem(self.line, f"two steps are called {title!r}")
        self.steps.append(Step(number, title, slug, self.line, tuple(self.parts)))


def _words(token: Token) -> list[str]:
    return token.info.split()


def slugged(title: str) -> str:
    """A heading as GitHub makes its anchor: lower case, blanks as hyphens, no punctuation."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
