"""One module of Python source: what it defines at the top, what it imports, and what each definition uses.

Here: reading the syntax. Not here: following the names from module to module (`closure`).
"""

import ast
import contextlib
import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

RUNS = ""  # in place of a name: the statements of a module that run when it is imported
Chain = tuple[str, ...]  # a name and the attributes read from it: a.b.c
Definable = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass
class Module:
    """A module's statements by the name that they define, and what each imported name stands for.

    Args:
        package: the package that it lies in, or is.
        imports: alias -> module, and the name in it; `""` for the module itself.
    """

    package: str
    statements: dict[str, list[ast.stmt]] = field(default_factory=lambda: defaultdict(list))
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    known_uses: dict[str, "Uses"] = field(default_factory=dict)

    def uses(self, name: str) -> "Uses":
        """What the definition of this name uses; all its statements where it has several."""
        if name not in self.known_uses:
            self.known_uses[name] = _uses_of(self.package, self.statements[name])
        return self.known_uses[name]


@dataclass(frozen=True)
class Uses:
    """What a definition uses: names, imports of its own, and the hash of its syntax tree without docstrings."""

    chains: frozenset[Chain]
    imports: dict[str, tuple[str, str]]
    sha256: str


@lru_cache(maxsize=512)
def parse_module(package: str, source: bytes) -> Module:
    """
    Args:
        package: the package that the module lies in; the module's own name where it is a package.
    """
    module = Module(package)
    _index(module, ast.parse(source).body)
    return module


def _uses_of(package: str, statements: list[ast.stmt]) -> Uses:
    walk = _Walk(package)
    for statement in statements:
        walk.read(statement)
    return Uses(frozenset(walk.chains), walk.imports, hashlib.sha256("\n".join(walk.tokens).encode()).hexdigest())


def _index(module: Module, body: list[ast.stmt]) -> None:
    """Put each statement under the names that it defines, or among those that run at import."""
    for position, statement in enumerate(body):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            module.imports |= _imported_names(module.package, statement)
            continue
        if isinstance(statement, Definable):
            names = [statement.name, *([RUNS] if _is_registered(module, statement) else [])]
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
        else:
            names = []
            _index(module, list(_nested_statements(statement)))
        if (position == 0 and _is_text(statement)) or _is_for_types(statement):
            continue  # neither runs
        for name in names or [RUNS]:
            module.statements[name].append(statement)


def _nested_statements(statement: ast.stmt) -> Iterator[ast.stmt]:
    """The statements within an `if`, a `try`, a loop, a `with`."""
    for node in ast.iter_child_nodes(statement):
        if isinstance(node, ast.stmt):
            yield node
        elif isinstance(node, ast.ExceptHandler | ast.match_case):
            yield from node.body


def _is_for_types(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and ast.unparse(statement.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _is_text(statement: ast.AST) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _is_registered(module: Module, statement: Definable) -> bool:
    """Whether a decorator of ours sees it, and may hand it on to others without its name."""
    ours = module.package.split(".")[0]
    heads = {
        node.id for one in statement.decorator_list for node in ast.walk(one) if isinstance(node, ast.Name)
    }  # fmt: skip
    return any(head in module.statements or module.imports.get(head, ("",))[0].split(".")[0] == ours for head in heads)


def _imported_names(package: str, statement: ast.Import | ast.ImportFrom) -> dict[str, tuple[str, str]]:
    """Alias -> the module and the name in it that it stands for."""
    if isinstance(statement, ast.Import):
        pairs = [(one.asname, one.name) if one.asname else (one.name.split(".")[0],) * 2 for one in statement.names]
        return {alias: (module, "") for alias, module in pairs}
    parts = package.split(".")
    above = parts[: len(parts) - statement.level + 1] if statement.level else []
    source = ".".join([*above, *([statement.module] if statement.module else [])])
    return {one.asname or one.name: (source, one.name) for one in statement.names}


class _Walk:
    """One walk over a definition, node by node. The tokens are its tree in prefix order, lists with their length, so
    that two trees with the same tokens are the same."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.chains: set[Chain] = set()
        self.imports: dict[str, tuple[str, str]] = {}
        self.tokens: list[str] = []

    def read(self, node: ast.AST, in_chain: bool = False) -> None:
        kind = type(node)
        if kind is ast.Name or kind is ast.Attribute:
            chain = () if in_chain else _chain(node)
            if chain:
                self.chains.add(chain)
            in_chain = in_chain or bool(chain)
        elif kind is ast.Import or kind is ast.ImportFrom:
            self.imports |= _imported_names(self.package, node)  # type: ignore[arg-type]
        self.tokens.append(kind.__name__)
        for name in node._fields:
            value = getattr(node, name, None)
            if name in ("annotation", "returns") and value is not None:
                self._read_quoted(value)
            if isinstance(value, ast.AST):
                self.read(value, in_chain)
            elif isinstance(value, list):
                self._read_list(value[1:] if _has_docstring(node, name, value) else value)
            else:
                self.tokens.append(repr(value))

    def _read_list(self, values: list[object]) -> None:
        self.tokens.append(str(len(values)))
        for one in values:
            if isinstance(one, ast.AST):
                self.read(one)
            else:
                self.tokens.append(repr(one))

    def _read_quoted(self, annotation: ast.AST) -> None:
        """Names in the quoted parts of an annotation."""
        for node in ast.walk(annotation):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                with contextlib.suppress(SyntaxError):  # a text of `Literal[...]` or `Annotated[...]`
                    names = ast.walk(ast.parse(node.value, mode="eval"))
                    self.chains |= {chain for name in names if (chain := _chain(name))}


def _has_docstring(node: ast.AST, name: str, body: list[ast.AST]) -> bool:
    return name == "body" and isinstance(node, Definable) and bool(body) and _is_text(body[0])


def _chain(node: ast.AST) -> Chain:
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return (node.id, *reversed(attributes)) if isinstance(node, ast.Name) else ()
