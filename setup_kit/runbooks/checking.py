"""Finds what is wrong with a runbook before anybody runs it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from markdown_it import MarkdownIt

from setup_kit.runbooks.inputs import given_by_environment
from setup_kit.runbooks.problems import Problem
from setup_kit.runbooks.runbook import Command, Input, Kind, Runbook, Step
from setup_kit.runbooks.script import Script, ScriptError, read_script

# Given the words after `setup-kit`, says what is wrong with them, or nothing. The flag: all that is required is there.
Resolve = Callable[[list[str], bool], str | None]

# Commands that take away what cannot be had back, or stop an export: their step asks first.
DESTRUCTIVE = re.compile(
    r"\bsetup-kit\s+(destroy|(\S+\s+)?(delete|purge|drop|remove|revoke|deactivate))\b(?!.*\s--dry-run\b)"
    r"|\baz\s.*\b(delete|purge|remove)\b"
    r"|\bcurl\b.*(-X|--request)[ =]?DELETE\b"
    r"|\b(DROP|TRUNCATE)\s+(TABLE|DATABASE|USER|LOGIN|SCHEMA|TYPE|PROCEDURE|VIEW)\b|\bDELETE\s+FROM\b|\brm\s+-",
    re.IGNORECASE,
)
# Variables that a person's own terminal has, or that signing in sets.
KNOWN = re.compile(r"HOME|PATH|PWD|USER|TMPDIR|EDITOR|GITHUB_.*|AZURE_.*|SETUP_KIT_.*|REQUESTS_CA_BUNDLE|SQLCMD.*")
_MENTION = re.compile(r"\Asetup-kit\s+\S")


def check_runbook(runbook: Runbook, resolve: Resolve) -> list[Problem]:
    """Every problem, in the order of lines: inputs declared and used, conditions, command lines, confirmations."""
    checker = _Checker(runbook, resolve)
    checker.check()
    return sorted(set(checker.problems))


@dataclass
class _Checker:
    runbook: Runbook
    resolve: Resolve
    problems: list[Problem] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    exported: set[str] = field(default_factory=set)

    def check(self) -> None:
        for step in self.runbook.steps:
            for command in step.commands:
                self.command(step, command)
        self.mentions()
        for declared in self.runbook.inputs.values():
            if declared.condition:
                self.use(declared.condition.name)
        for name in self.runbook.inputs.keys() - self.used:
            self.problem(self.line_of(name), f"the input {name} is declared but not used")

    def problem(self, line: int, message: str) -> None:
        self.problems.append(Problem(line, message))

    def line_of(self, name: str) -> int:
        lines = self.runbook.text.split("\n")
        return next((number for number, line in enumerate(lines, 1) if line.strip().startswith(f"{name}:")), 1)

    def command(self, step: Step, command: Command) -> None:
        self.condition(command)
        if refusal := syntax(command.script):
            self.problem(command.line, f"is no shell script: {refusal}")
            return
        try:
            script = read_script(command.script)
        except ScriptError as error:
            self.problem(command.line, f"cannot be read: {error}")
            return
        self.variables(command, script)
        for words in script.commands:
            if words[0] == "setup-kit" and (fault := self.resolve(words[1:], True)):
                self.problem(command.line, f"`{' '.join(words)}`: {fault}")
        if DESTRUCTIVE.search(command.script.replace("\\\n", " ")) and not step.caution:
            self.problem(command.line, "destroys something, but the step has no `> [!CAUTION]` that is confirmed")

    def use(self, name: str) -> Input | None:
        """The input that gives the variable; None where none does."""
        for declared in self.runbook.inputs.values():
            if name == declared.name or name in given_by_environment(declared):
                self.used.add(declared.name)
                return declared
        return None

    def condition(self, command: Command) -> None:
        if command.condition is None:
            return
        name, word = command.condition.name, command.condition.word
        declared = self.use(name)
        if declared is None or declared.secret:
            self.problem(command.line, f"its condition asks for {name}, which is no input that conditions may ask for")
        elif declared.kind is Kind.CHOICE and word not in declared.choices:
            self.problem(command.line, f"its condition never changes: {word} is no choice of {name}")

    def variables(self, command: Command, script: Script) -> None:
        for name in script.used:
            if self.use(name) is None and name not in script.assigned | self.exported and not KNOWN.fullmatch(name):
                self.problem(command.line, f"uses ${name}, which is no input, and no step above exports it")
        for name in script.unquoted - script.assigned:
            declared = self.use(name)
            if declared is not None and declared.kind is not Kind.INTEGER:
                self.problem(command.line, f'uses ${name} without quotes: write "${name}"')
        self.exported |= script.exported

    def mentions(self) -> None:
        """Command lines that are named in the text, as code."""
        for line, code in inline_code(self.runbook.text):
            if _MENTION.match(code) and (fault := self.resolve(code.split()[1:], False)):
                self.problem(line, f"`{code}`: {fault}")


def inline_code(text: str) -> Iterator[tuple[int, str]]:
    """Each piece of `code` in a text, with the line of its paragraph."""
    for token in MarkdownIt("commonmark").parse(text):
        for child in token.children or ():
            if child.type == "code_inline" and token.map:
                yield token.map[0] + 1, child.content


def syntax(script: str) -> str:
    """What the shell itself has against a script, which is not run; empty where there is no shell to ask."""
    found = shutil.which("sh")
    if found is None:
        return ""
    asked = subprocess.run(  # noqa: S603 -- -n reads and runs nothing
        [found, "-n", "-c", script], capture_output=True, text=True, errors="replace", check=False
    )
    return asked.stderr.strip().split("\n")[-1] if asked.returncode else ""
