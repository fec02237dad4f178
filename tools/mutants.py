"""Small wrong changes to Python code (mutants), and how to import a module with one of them.

A mutant is told by its file, its function, the code before and the code after (a constant by the
code around it too: there are many a 1): line numbers move, these don't. What says nothing about
behaviour is left alone: annotations, docstrings, decorators, ``if TYPE_CHECKING``, the words of
errors, how a witness reads, and budgets (one step more or less of two million is no change of
behaviour).
"""

from __future__ import annotations

import ast
import copy
import importlib.util
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import CodeType

_COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_BINARY: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_NAMES = {"any": "all", "all": "any", "min": "max", "max": "min"}
_METHODS = {"startswith": "endswith", "endswith": "startswith", "add": "discard"}
_ERRORS = ("Undecidable", "PolicyError")
_READS = ("nice", "fillers", "name")
_BUDGET = 1_000


class Mutant(NamedTuple):
    """One change: node number ``node`` of the file's tree (in ``ast.walk`` order), way ``way``.

    ``around`` is the code that a changed constant stands in; empty for other changes.
    """

    file: str
    function: str
    line: int
    before: str
    after: str
    node: int
    way: int
    around: str = ""

    def __str__(self) -> str:
        around = f" in `{self.around}`" if self.around else ""
        change = f"`{self.before}` -> `{self.after}`{around}"
        return f"{self.file}:{self.line} {self.function}: {change}"


def mutants(file: str, source: str) -> list[Mutant]:
    """Return every mutant of a file, in the order of its lines."""
    tree = ast.parse(source)
    where = dict(_functions(tree, "module"))
    skipped = set(_skipped(tree))
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    found = []
    for number, node in enumerate(ast.walk(tree)):
        if node in skipped or not hasattr(node, "lineno"):
            continue
        before = _shown(node)
        around = _shown(parents[node]) if isinstance(node, ast.Constant) else ""
        for way, after in enumerate(_ways(node)):
            change = before, _shown(after)
            found.append(Mutant(file, where[node], node.lineno, *change, number, way, around))
    return sorted(found, key=lambda one: (one.line, one.node, one.way))


def mutated(source: str, mutant: Mutant) -> ast.Module:
    """Return the file's tree with the change made."""
    tree = ast.parse(source)
    target = list(ast.walk(tree))[mutant.node]
    after = list(_ways(target))[mutant.way]
    ast.copy_location(after, target)

    class Swap(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return after if node is target else super().generic_visit(node)

    Swap().visit(tree)
    return ast.fix_missing_locations(tree)


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else f"{text[:60]} … {text[-27:]}"


def _functions(node: ast.AST, name: str) -> Iterator[tuple[ast.AST, str]]:
    """Yield each node with the dotted name of the function (or class) around it."""
    yield node, name
    for child in ast.iter_child_nodes(node):
        inner = name
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            inner = child.name if name == "module" else f"{name}.{child.name}"
        yield from _functions(child, inner)


def _skipped(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the nodes that say nothing about behaviour, and all that is in them."""
    for node in ast.walk(tree):
        for part in _silent(node):
            if part is not None:
                yield from ast.walk(part)


def _silent(node: ast.AST) -> Sequence[ast.AST | None]:
    """Return the parts of one node that say nothing about behaviour."""
    match node:
        case ast.FunctionDef():
            return (*node.decorator_list, node.returns)
        case ast.ClassDef():
            return node.decorator_list
        case ast.arg():
            return (node.annotation,)
        case ast.AnnAssign(value=ast.Constant(value=int(number))) if number >= _BUDGET:
            return (node,)
        case ast.AnnAssign():
            return (node.annotation,)
        case ast.keyword() if node.arg in _READS:
            return (node.value,)
        case ast.If(test=ast.Name("TYPE_CHECKING")) | ast.Expr(value=ast.Constant()):
            return (node,)
        case ast.Call(func=ast.Name(name)) if name in _ERRORS:
            return node.args
        case ast.FormattedValue():
            return (node.format_spec,)
        case ast.JoinedStr():
            return [part for part in node.values if isinstance(part, ast.Constant)]
        case ast.Assign() if _is_type(node):
            return (node,)
    return ()


def _is_type(node: ast.Assign) -> bool:
    """Tell whether an assignment is ``__slots__``, or names a type: ``Atom = Single | Each``."""
    name = node.targets[0]
    if not isinstance(name, ast.Name) or name.id == "__slots__":
        return isinstance(name, ast.Name)
    return name.id[:1].isupper() and not name.id.isupper()


def _ways(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the changes of one node, each a node to put in its place."""
    for kind, change in _CHANGES:
        if isinstance(node, kind):
            yield from change(node)


def _compare(node: ast.Compare) -> Iterator[ast.AST]:
    for at, op in enumerate(node.ops):
        for other in _COMPARE[type(op)]:
            changed = copy.copy(node)
            changed.ops = [*node.ops[:at], other(), *node.ops[at + 1 :]]
            yield changed


def _logic(node: ast.BoolOp) -> Iterator[ast.AST]:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield ast.BoolOp(other, node.values)
    for at in range(len(node.values)):
        rest = node.values[:at] + node.values[at + 1 :]
        yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    yield node.operand


def _binary(node: ast.BinOp) -> Iterator[ast.AST]:
    if type(node.op) in _BINARY:
        yield ast.BinOp(node.left, _BINARY[type(node.op)](), node.right)


def _augmented(node: ast.AugAssign) -> Iterator[ast.AST]:
    if type(node.op) in _BINARY:
        yield ast.AugAssign(node.target, _BINARY[type(node.op)](), node.value)


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
        yield ast.Constant(value - 1)
    elif isinstance(value, str) and " " not in value:  # else a sentence for a person
        yield ast.Constant("" if value else "other")
        if len(value) > 1:
            yield ast.Constant(f"{value}x")


def _test(node: ast.If | ast.IfExp | ast.While) -> Iterator[ast.AST]:
    """Negate a test that no other change turns round."""
    if not isinstance(node.test, ast.Compare | ast.UnaryOp):
        changed = copy.copy(node)
        changed.test = ast.UnaryOp(ast.Not(), node.test)
        yield changed


def _filter(node: ast.comprehension) -> Iterator[ast.AST]:
    for at in range(len(node.ifs)):
        changed = copy.copy(node)
        changed.ifs = node.ifs[:at] + node.ifs[at + 1 :]
        yield changed


def _return(node: ast.Return) -> Iterator[ast.AST]:
    if node.value is not None and not isinstance(node.value, ast.Constant):
        yield ast.Return(ast.Constant(None))


def _call(node: ast.Call) -> Iterator[ast.AST]:
    if isinstance(node.func, ast.Name) and node.func.id in _NAMES:
        name = ast.Name(_NAMES[node.func.id], ast.Load())
        yield ast.Call(name, node.args, node.keywords)
    if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
        method = ast.Attribute(node.func.value, _METHODS[node.func.attr], ast.Load())
        yield ast.Call(method, node.args, node.keywords)


def _statement(node: ast.Expr | ast.Break | ast.Continue | ast.Raise) -> Iterator[ast.AST]:
    if isinstance(node, ast.Break):
        yield ast.Continue()
    elif isinstance(node, ast.Continue):
        yield ast.Break()
    elif not isinstance(getattr(node, "value", None), ast.Yield | ast.YieldFrom):
        yield ast.Pass()


_CHANGES: Sequence[tuple[type | tuple[type, ...], Callable[..., Iterator[ast.AST]]]] = (
    (ast.Compare, _compare),
    (ast.BoolOp, _logic),
    (ast.UnaryOp, _unary),
    (ast.BinOp, _binary),
    (ast.AugAssign, _augmented),
    (ast.Constant, _constant),
    ((ast.If, ast.IfExp, ast.While), _test),
    (ast.comprehension, _filter),
    (ast.Return, _return),
    (ast.Call, _call),
    ((ast.Expr, ast.Break, ast.Continue, ast.Raise), _statement),
)


class Importer(MetaPathFinder):
    """Imports one module with a change made; every other module as it is on disk."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        self.name, self.path = name, str(path)
        self.code: CodeType = compile(tree, self.path, "exec")
        self.used = False

    def install(self) -> None:
        """Go before every other finder."""
        sys.meta_path.insert(0, self)

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:  # noqa: ARG002 - the interface's parameters
        """Return the changed module's spec; None for any other module."""
        if fullname != self.name:
            return None
        importer = self

        class Loader(SourceFileLoader):
            def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - as above
                importer.used = True
                return importer.code

        return importlib.util.spec_from_file_location(
            fullname, self.path, loader=Loader(fullname, self.path)
        )
