"""Reads out of the code what it tells people: errors, warnings, problems of settings."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator

# Nobody sees the text of the first; that of the second goes into an InvalidRecord.
_UNSHOWN = {"ConfigValidationError", "InvalidValue"}
_TELLING = ("_problems", "_explanation")
_SPEAKERS = (".warning", ".error", ".critical", "problems.append", "refuse")


def told_in(source: str) -> Iterator[re.Pattern[str]]:
    """What a module tells people, as it would match a line of docs/errors.md."""
    for node in ast.walk(ast.parse(source)):
        for part in _spoken(node):
            text = _template(part)
            if text is not None:
                yield re.compile(text)


def _spoken(node: ast.AST) -> Iterator[ast.AST]:
    """The expressions that a statement tells people."""
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        name = ast.unparse(node.exc.func)
        if name not in _UNSHOWN and not hasattr(builtins, name):
            yield from _each(node.exc.args[:1])
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(_SPEAKERS):
        yield from _each(node.args[:1])
    if isinstance(node, ast.keyword) and node.arg == "fault":
        yield node.value
    if isinstance(node, ast.FunctionDef) and node.name.endswith(_TELLING):
        for part in ast.walk(node):
            if isinstance(part, ast.Return | ast.Yield) and part.value is not None:
                yield from _each([part.value])


def _each(found: list[ast.expr]) -> Iterator[ast.AST]:
    """Sentences, be they listed or made for each of several."""
    for node in found:
        if isinstance(node, ast.List):
            yield from _each(node.elts)
        elif isinstance(node, ast.Starred):
            yield from _each([node.value])
        elif isinstance(node, ast.ListComp | ast.GeneratorExp):
            yield node.elt
        else:
            yield node


def _template(node: ast.AST) -> str | None:
    """A pattern for a literal, whatever is put into it; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return ".*".join(map(re.escape, re.split(r"%[a-z]|%\.\df|{}", node.value)))
    if isinstance(node, ast.JoinedStr):
        return "".join(_template(part) or ".*" for part in node.values)
    return None
