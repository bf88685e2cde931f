"""Which command lines the tests start through the installed console script, as far as their source tells."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[2]
# The constant that every module of tests gives the console script's path.
SCRIPT = "COMMAND"

Words = tuple[str, ...]


def all_started() -> set[Words]:
    return {words for path in TESTS.rglob("*.py") for words in started(path) if words}


def started(path: Path) -> Iterator[Words]:
    """The words that follow the script: those that are texts, up to the first that is a value.

    They stand in a list beside the script, or in a call of a function that has such a list and passes its arguments on;
    or in the literals of a function whose own words are handed over by `*`.
    """
    tree = _parsed(path)
    helpers = _helpers(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.List) and _names_script(node):
            yield _leading(node.elts[1:])
        elif isinstance(node, ast.Call):
            yield from _called(node, helpers)
        elif isinstance(node, ast.FunctionDef) and _hands_over(node, helpers):
            for literal in ast.walk(node):
                if isinstance(literal, ast.List | ast.Tuple):
                    yield _leading(literal.elts)
                    yield from (_leading([each]) for each in literal.elts if isinstance(each, ast.Constant))


def _called(call: ast.Call, helpers: dict[str, Words]) -> Iterator[Words]:
    name = _name(call)
    # A terminal is given the script and a list of its words.
    if any(_is_script(each) for each in call.args):
        yield _leading(call.args[1:])
    elif name in helpers:
        texts = call.args if call.args and _is_text(call.args[0]) else call.args[1:]
        yield (*helpers[name], *_leading(texts))


def _hands_over(function: ast.FunctionDef, helpers: dict[str, Words]) -> bool:
    if not function.name.startswith("test_") and not function.decorator_list:
        return False
    return any(
        (isinstance(node, ast.Call) and _name(node) in helpers and _passes_on(node.args))
        or (isinstance(node, ast.List) and _names_script(node) and _passes_on(node.elts))
        for node in ast.walk(function)
    )


@cache
def _helpers(path: Path) -> dict[str, Words]:
    """Functions that start the script with their own arguments, and the words that they put before these.

    Those of the module itself, of its folder's conftest and of the modules that it, or that conftest, imports.
    """
    found: dict[str, Words] = {}
    for source in reversed(_sources(path)):
        found |= _defined(source, found)
    return found


def _sources(path: Path) -> list[Path]:
    sources = [path, path.with_name("conftest.py")]
    for each in list(sources):
        for node in ast.walk(_parsed(each)) if each.exists() else ():
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests."):
                sources.append(TESTS.parent / f"{(node.module or '').replace('.', '/')}.py")
    return [each for each in dict.fromkeys(sources) if each.is_file()]


def _defined(path: Path, known: dict[str, Words]) -> dict[str, Words]:
    found: dict[str, Words] = {}
    functions = [node for node in ast.walk(_parsed(path)) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        for node in ast.walk(function):
            if (
                isinstance(node, ast.List)
                and _names_script(node)
                and any(isinstance(e, ast.Starred) for e in node.elts)
            ):
                found[function.name] = _leading(node.elts[1:])
            elif isinstance(node, ast.Call) and any(_is_script(each) for each in node.args):
                found[function.name] = ()
    # Then those that call such a one with their own arguments.
    for function in functions:
        if function.name in found or function.name.startswith("test_"):
            continue
        within = known | found
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and _name(node) in within and _passes_on(node.args):
                found[function.name] = (*within[_name(node)], *_leading(node.args))
    return found


def _leading(arguments: list[ast.expr]) -> Words:
    words: list[str] = []
    for argument in arguments:
        if isinstance(argument, ast.List) and not words:
            return _leading(argument.elts)
        if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
            break
        words += argument.value.split()
    return tuple(words)


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _names_script(node: ast.List) -> bool:
    return bool(node.elts) and _is_script(node.elts[0])


def _is_script(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == SCRIPT


def _passes_on(arguments: list[ast.expr]) -> bool:
    return any(isinstance(each, ast.Starred) for each in arguments)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant | ast.List)
