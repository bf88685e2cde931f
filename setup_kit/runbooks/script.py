"""Reads shell text without running it: which commands it holds, which variables it uses, sets and exports.

A reader of the POSIX shell that runbooks are written in, not of all that a shell takes: quoting, expansions, command
substitution, here-documents and redirections are understood; the words of compound commands are passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")
_RESERVED = frozenset({"if", "then", "else", "elif", "fi", "do", "done", "while", "until", "!", "{", "}", "esac"})
_SPECIAL = "@*#?-$!0123456789"
_DEEPEST = 50


class ScriptError(ValueError):
    """The text is no shell script: a quotation or an expansion has no end."""


@dataclass
class Script:
    """`commands` are lists of words, quotes removed; an expansion stays as it is written.

    `unquoted` are variables used outside of double quotes, where a blank in their value makes two words.
    """

    commands: list[list[str]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    unquoted: set[str] = field(default_factory=set)
    assigned: set[str] = field(default_factory=set)
    exported: set[str] = field(default_factory=set)


def read_script(text: str) -> Script:
    """Raises ScriptError."""
    reader = _Reader(text)
    reader.commands("", 0)
    return reader.script


@dataclass
class _Here:
    delimiter: str
    literal: bool
    tabs: bool


@dataclass
class _Reader:
    text: str
    at: int = 0
    script: Script = field(default_factory=Script)
    heres: list[_Here] = field(default_factory=list)

    def peek(self, length: int = 1) -> str:
        return self.text[self.at : self.at + length]

    def commands(self, end: str, depth: int) -> None:
        """Up to the character `end`, or the end of the text where it is empty."""
        if depth > _DEEPEST:
            raise ScriptError("is nested too deeply")
        words: list[str] = []
        while self.at < len(self.text):
            character = self.peek()
            if character == end:
                self.at += 1
                self.finish(words)
                return
            if character in " \t" or self.peek(2) == "\\\n":
                self.at += 1 if character in " \t" else 2
            elif character == "#":
                self.at = _found(self.text.find("\n", self.at), len(self.text))
            elif character == "\n":
                self.at += 1
                self.finish(words)
                words = []
                self.bodies(depth)
            elif character in ";&|()":
                self.at += 1
                self.finish(words)
                words = []
            elif character in "<>":
                self.redirection(depth)
            else:
                word, quoted = self.word(depth)
                if word.isdigit() and not quoted and self.peek() in ("<", ">"):
                    continue  # the number of what is redirected
                if words or quoted or word not in _RESERVED:
                    words.append(word)
        if end:
            raise ScriptError(f"a {end} is missing")
        self.finish(words)

    def finish(self, words: list[str]) -> None:
        while words and (found := _ASSIGNMENT.match(words[0])):
            self.script.assigned.add(found[1])
            words = words[1:]
        if not words:
            return
        self.script.commands.append(words)
        match words[0]:
            case "for":
                self.script.assigned.update(words[1:2])
            case "read":
                self.script.assigned.update(word for word in words[1:] if not word.startswith("-"))
            case "export" | "readonly":
                names = {word.split("=")[0] for word in words[1:] if not word.startswith("-")}
                self.script.assigned |= {word.split("=")[0] for word in words[1:] if "=" in word}
                if words[0] == "export":
                    self.script.exported |= names

    def word(self, depth: int) -> tuple[str, bool]:
        """One word, and whether any of it was quoted."""
        parts: list[str] = []
        quoted = False
        while self.at < len(self.text):
            character = self.peek()
            if character in " \t\n;&|()<>":
                break
            self.at += 1
            if character == "'":
                end = _found(self.text.find("'", self.at))
                parts.append(self.text[self.at : end])
                self.at, quoted = end + 1, True
            elif character == '"':
                parts.append(self.double(depth, '"'))
                quoted = True
            elif character == "\\":
                escaped = self.peek()
                self.at += 1
                if escaped != "\n":
                    parts.append(escaped)
                    quoted = True
            elif character in "$`":
                parts.append(self.expansion(character, depth, bare=True))
            else:
                parts.append(character)
        return "".join(parts), quoted

    def double(self, depth: int, end: str) -> str:
        """Text in double quotes, or of a here-document where `end` is empty: only expansions have a meaning."""
        parts: list[str] = []
        while self.at < len(self.text):
            character = self.peek()
            self.at += 1
            if character == end:
                return "".join(parts)
            if character == "\\" and self.peek() and self.peek() in '$`"\\\n':
                parts.append(self.peek().replace("\n", ""))
                self.at += 1
            elif character in "$`":
                parts.append(self.expansion(character, depth, bare=False))
            else:
                parts.append(character)
        if end:
            raise ScriptError("a quotation has no end")
        return "".join(parts)

    def expansion(self, sign: str, depth: int, *, bare: bool) -> str:
        """What follows a `$` or a backtick; gives it as it is written."""
        start = self.at - 1
        if sign == "`":
            self.commands("`", depth + 1)
        elif self.peek(2) == "((":
            end = _found(self.text.find("))", self.at))
            self.script.used.update(_NAME.findall(self.text, self.at, end))
            self.at = end + 2
        elif self.peek() == "(":
            self.at += 1
            self.commands(")", depth + 1)
        elif self.peek() == "{":
            self.braces(depth, bare=bare)
        elif found := _NAME.match(self.text, self.at):
            self.at = found.end()
            self.use(found[0], bare=bare)
        elif self.peek() and self.peek() in _SPECIAL:
            self.at += 1
        return self.text[start : self.at]

    def braces(self, depth: int, *, bare: bool) -> None:
        if depth > _DEEPEST:
            raise ScriptError("is nested too deeply")
        self.at += 1
        if self.peek() == "#":
            self.at += 1
        if found := _NAME.match(self.text, self.at):
            self.at = found.end()
            self.use(found[0], bare=bare)
        self.double(depth + 1, "}")

    def use(self, name: str, *, bare: bool) -> None:
        self.script.used.add(name)
        if bare:
            self.script.unquoted.add(name)

    def redirection(self, depth: int) -> None:
        begin = self.at
        while self.peek() and self.peek() in "<>&|-":
            self.at += 1
        operator = self.text[begin : self.at]
        while self.peek() and self.peek() in " \t":
            self.at += 1
        target, quoted = self.word(depth)
        if operator in ("<<", "<<-"):
            self.heres.append(_Here(target, quoted, operator == "<<-"))

    def bodies(self, depth: int) -> None:
        """The here-documents whose operators stood on the line before."""
        for here in self.heres:
            begin = self.at
            while True:
                if self.at >= len(self.text):
                    raise ScriptError(f"the here-document has no end {here.delimiter}")
                end = _found(self.text.find("\n", self.at), len(self.text))
                line, start, self.at = self.text[self.at : end], self.at, end + 1
                if (line.lstrip("\t") if here.tabs else line) == here.delimiter:
                    break
            if not here.literal:
                inner = _Reader(self.text[begin:start], script=self.script)
                inner.double(depth + 1, "")
        self.heres = []


def _found(at: int, otherwise: int | None = None) -> int:
    if at >= 0:
        return at
    if otherwise is None:
        raise ScriptError("a quotation or an expansion has no end")
    return otherwise
