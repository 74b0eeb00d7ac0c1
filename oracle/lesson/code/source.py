"""From the code blocks of a lesson to modules that define its functions and do nothing else."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from oracle.lesson.document import CodeBlock, Document

PYTHON = ("", "python", "python3", "py", "py3", "ipython", "ipython3", "numpy", "pycon", "sage", "code-cell")
BACKWARD = re.compile(
    r"back_?prop|backward|bprop|^gradients?$|gradients?_?(of|descent_step)?$|compute_grad|calc\w*_grad|^grads?$|_grads?$"
    r"|loss_and_grad|cost_?function_?prime|deltas?$|fit_step|nnet?_?cost|cost_?and_?grad"
)
"""Names of functions that compute a gradient."""
OTHER = re.compile(r"numeric|check|test|plot|approx|train|clip|zero_grad|descent$|print|show|apply_grad|update")
"""Names of functions that do something else with one."""
MODULES = {
    "numpy", "math", "torch", "scipy", "random", "collections", "typing", "functools", "itertools", "dataclasses",
    "copy", "__future__", "abc", "enum", "operator", "numbers", "warnings", "time", "jax", "autograd",
}  # fmt: skip
"""What is imported; other imports are left out."""
FORBIDDEN = {
    "open", "exec", "eval", "compile", "input", "__import__", "load", "loadtxt", "genfromtxt", "fromfile", "save",
    "savez", "savetxt", "memmap", "urlopen", "urlretrieve", "system", "popen", "Popen", "read_csv", "remove", "rmtree",
}  # fmt: skip
"""Functions that reach outside; what calls them is not run."""
ALIASES = {"np": "import numpy as np", "math": "import math", "torch": "import torch", "numpy": "import numpy"}
"""Imports that lessons take for granted."""


@dataclass(frozen=True)
class Candidate:
    """A function that looks like a backward pass, and the module in which it can be run."""

    line: int
    language: str
    name: str
    """`backprop`, or `Network.backprop`."""
    module: str = field(repr=False)
    refused: str = ""
    """Why it is not run."""


@dataclass(frozen=True)
class Block:
    """A code block with its statements."""

    piece: CodeBlock
    tree: ast.Module | None
    error: str = ""

    def line(self, node: ast.AST) -> int:
        """The line of the lesson on which a statement stands, at most the block's last."""
        place = self.piece.place
        return min(place.line + getattr(node, "lineno", 1) - 1, place.end_line)


def candidates(document: Document) -> tuple[Candidate, ...]:
    """All functions and methods of the lesson that look like a backward pass, in its order."""
    pieces = [p for p in document.pieces if isinstance(p, CodeBlock) and p.language.strip("{}. ") in PYTHON]
    blocks = [parsed(piece) for piece in pieces if not any(d.startswith("skip") for d in piece.directives)]
    found: list[Candidate] = []
    for k, block in enumerate(blocks):
        language = block.piece.language or "python"
        if block.tree is None:
            if name := _named(block.piece.text):
                found.append(Candidate(block.piece.place.line, language, name, "", block.error))
            continue
        for name, node in backward(block.tree):
            refused = reaches_out(node) or _no_arguments(node)
            module, owner = composed(blocks, k) if not refused else ("", "")
            if _is_method(node) and "." not in name and not owner:
                refused = refused or "it is a method, and the lesson shows no class, or several, that it may belong to"
            whole = f"{owner}.{name}" if owner and _is_method(node) and "." not in name else name
            found.append(Candidate(block.line(node), language, whole, module, refused))
    return tuple(found)


def parsed(piece: CodeBlock) -> Block:
    """A block's statements, notebook commands and prompts left out; a syntax error is told."""
    text = clean(piece.text)
    try:
        return Block(piece, ast.parse(text))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f" (line {line} of the block)" if line else ""
        return Block(piece, None, f"this block is no Python: {getattr(error, 'msg', error)}{where}")


def clean(text: str) -> str:
    """Code as a file would have it, every line on its line: no prompts, no magics, no print statements of Python 2."""
    lines = text.expandtabs().split("\n")
    if any(line.startswith(">>> ") for line in lines):
        lines = [line[4:] if line.startswith((">>> ", "... ")) else "" for line in lines]
    lines = [re.sub(r"^(\s*)(?:[%!].*|print\s+[^\s(=.].*)$", r"\1pass", line) for line in lines]
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[margin:] for line in lines)


def _named(text: str) -> str:
    """The first function in a text that looks like a backward pass."""
    names = re.findall(r"^\s*def\s+(\w+)", text, re.MULTILINE)
    return next((name for name in names if looks_backward(name)), "")


def looks_backward(name: str) -> bool:
    """Whether a function's name says that it computes gradients."""
    low = name.lower()
    return bool(BACKWARD.search(low)) and not OTHER.search(low) and not low.startswith("__")


def backward(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Functions of a block, and methods of its classes, that look like a backward pass."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and looks_backward(node.name):
            yield node.name, node
        if isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.FunctionDef) and looks_backward(part.name):
                    yield f"{node.name}.{part.name}", part


def _no_arguments(node: ast.FunctionDef) -> str:
    given = [arg.arg for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return "" if [name for name in given if name != "self"] else "it takes no arguments, so that no net can be given it"


def reaches_out(node: ast.AST) -> str:
    """Why code is not run that opens files, the network or other programs."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            name = part.func.id if isinstance(part.func, ast.Name) else getattr(part.func, "attr", "")
            if name in FORBIDDEN:
                return f"it calls {name}, and a lesson's code is not let near files, the network or other programs"
        if isinstance(part, ast.Import | ast.ImportFrom) and not _known(part):
            return f"it imports {ast.unparse(part).split()[1]}, which is not run for a lesson"
    return ""


def _known(node: ast.Import | ast.ImportFrom) -> bool:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or "."]
    return all(name.partition(".")[0] in MODULES for name in names)


def composed(blocks: list[Block], upto: int) -> tuple[str, str]:
    """A module with the definitions of the blocks up to one, and of later blocks where they are the first.

    Methods that stand outside of a class, as lessons show them one by one, go into the only class that there is; its
    name is returned too.
    """
    kept: list[ast.stmt] = [s for block in blocks[: upto + 1] for s in _statements(block)]
    known = {name for statement in kept for name in _defined(statement)}
    for block in blocks[upto + 1 :]:
        kept += [s for s in _statements(block) if not known & _defined(s)]
    kept, owner = _gathered(kept)
    body = "\n".join(_guarded(statement) for statement in kept)
    missing = [line for name, line in ALIASES.items() if re.search(rf"\b{name}\.", body) and name not in known]
    return "\n".join(["from __future__ import annotations", *missing, body, ""]), owner


def _is_method(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and bool(node.args.args) and node.args.args[0].arg == "self"


def _gathered(kept: list[ast.stmt]) -> tuple[list[ast.stmt], str]:
    loose = [node for node in kept if _is_method(node)]
    classes = {node.name: node for node in kept if isinstance(node, ast.ClassDef)}
    if not loose or len(classes) != 1:
        return kept, ""
    name, node = next(iter(classes.items()))
    own = ast.ClassDef(name, node.bases, [], [*node.body, *loose], [])
    rest = [node for node in kept if not _is_method(node) and not isinstance(node, ast.ClassDef)]
    return [*rest, own], name


def _defined(statement: ast.stmt) -> set[str]:
    """The names that a statement binds."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
    return {part.id for part in ast.walk(statement) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}


def _statements(block: Block) -> Iterator[ast.stmt]:
    """Imports, definitions, and assignments of what needs no work."""
    for node in block.tree.body if block.tree else ():
        if isinstance(node, ast.Import | ast.ImportFrom):
            if _known(node) and getattr(node, "module", "") != "__future__":
                yield node
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            if not isinstance(node, ast.FunctionDef) or not reaches_out(node):
                yield _undecorated(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and _light(node):
            yield node


def _undecorated(node: ast.FunctionDef | ast.ClassDef) -> ast.stmt:
    """Without decorators, unless they are Python's own; methods that reach outside left out."""
    usual = {"staticmethod", "classmethod", "property", "dataclass"}
    node.decorator_list = [d for d in node.decorator_list if isinstance(d, ast.Name) and d.id in usual]
    if isinstance(node, ast.ClassDef):
        node.body = [
            _undecorated(part) if isinstance(part, ast.FunctionDef) else part
            for part in node.body
            if not isinstance(part, ast.FunctionDef) or not reaches_out(part)
        ] or [ast.Pass()]
    return node


def _light(node: ast.Assign | ast.AnnAssign) -> bool:
    """Numbers, lists of them, lambdas, and small arrays; no call of the lesson's own functions."""
    calls = [part for part in ast.walk(node) if isinstance(part, ast.Call)]
    roots = [re.match(r"[A-Za-z_]+", ast.unparse(call.func)) for call in calls]
    inside = [part for part in ast.walk(node) if isinstance(part, ast.Lambda)]
    return not reaches_out(node) and (
        bool(inside)
        or all(r and r[0] in ("np", "numpy", "math", "len", "float", "int", "list", "dict", "range") for r in roots)
    )


def _guarded(statement: ast.stmt) -> str:
    """What fails when it is defined is left out, and the rest stands."""
    text = ast.unparse(statement)
    if isinstance(statement, ast.FunctionDef):
        return text
    inside = "\n".join(f"    {line}" for line in text.split("\n"))
    return f"try:\n{inside}\nexcept Exception:\n    pass"
