"""Which definitions of ours an entry point reaches, found in the source alone: nothing is imported or run.

The unit is a definition at the top of a module: a function, a class, an assignment. From an entry point every name that
a definition uses leads to the definitions behind it, through imports, re-exports and aliases, until nothing new is
found. What else runs when a module is imported counts as soon as anything of the module does. A class counts whole, a
module that is used as a value too, and names of annotations and shadowed ones count: rather too much than too little.

Not followed: what `import_module` opens by a text. Who does so names the modules as entry points of their own.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hims_pipeline.provenance.source import RUNS, Chain, Module, Uses, parse_module

Definition = tuple[str, str]  # module, name


@dataclass(frozen=True)
class Closure:
    """What an entry point reaches.

    Args:
        modules: of ours, in which a definition is that it reaches.
        libraries: top names of modules that are not ours, as they are imported.
        sha256: hash of the syntax trees of the definitions that it reaches, and of what their imports name.
    """

    modules: frozenset[str]
    libraries: frozenset[str]
    sha256: str


class SourceTree:
    """The Python sources of one package; each file is read once.

    Args:
        folder: the package's folder; its name is the package's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._modules: dict[str, Module | None] = {}
        self._closures: dict[tuple[str, ...], Closure] = {}

    def closure(self, *entries: str) -> Closure:
        """All that these entry points rest on.

        Args:
            entries: `package.module:name`, or `package.module` for all of a module.

        Raises:
            LookupError: an entry, or a name on the way, is not there.
        """
        if entries not in self._closures:
            self._closures[entries] = self._follow(entries)
        return self._closures[entries]

    def _follow(self, entries: tuple[str, ...]) -> Closure:
        todo = [definition for entry in entries for definition in self._entry(entry)]
        seen: set[Definition] = set()
        libraries: set[str] = set()
        messages: set[str] = set()
        while todo:
            if (definition := todo.pop()) in seen:
                continue
            seen.add(definition)
            todo += self._run_at_import(definition[0])
            module = self._module(definition[0])
            assert module is not None
            uses, name = module.uses(definition[1]), ":".join(definition)
            messages.add(f"{name} {uses.sha256}")
            for target in self._targets(definition[0], uses):
                if isinstance(target, str):
                    libraries.add(target.split(".")[0])
                    messages.add(f"{name} uses {target}")
                else:
                    todo.append(target)
        sha256 = hashlib.sha256("\n".join(sorted(messages)).encode()).hexdigest()
        return Closure(frozenset(module for module, _ in seen), frozenset(libraries), sha256)

    def _entry(self, entry: str) -> list[Definition]:
        module, _, name = entry.partition(":")
        definitions = [one for one in self._resolve_chain(module, (name,) if name else ()) if not isinstance(one, str)]
        if not definitions:
            raise LookupError(f"There is no {entry} in {self.folder}.")
        return definitions

    def _run_at_import(self, module: str) -> list[Definition]:
        """What runs when a module is imported beside its definitions, and that of the packages that it lies in."""
        parts = module.split(".")
        loaded = [".".join(parts[: count + 1]) for count in range(len(parts))]
        return [(name, RUNS) for name in loaded if (known := self._module(name)) and RUNS in known.statements]

    def _targets(self, module: str, uses: Uses) -> Iterator[Definition | str]:
        """The definitions behind the names that a definition uses, and libraries with what is used of them."""
        for chain in uses.chains:
            if chain[0] in uses.imports:
                yield from self._resolve_import(uses.imports[chain[0]], chain[1:])
            elif (known := self._module(module)) and (chain[0] in known.statements or chain[0] in known.imports):
                yield from self._resolve_chain(module, chain)
            # else a builtin, an argument or a local name

    def _resolve_import(self, target: tuple[str, str], rest: Chain) -> Iterator[Definition | str]:
        module, name = target
        return self._resolve_chain(module, (name, *rest) if name else rest)

    def _resolve_chain(self, module: str, chain: Chain) -> Iterator[Definition | str]:
        """What `chain`, read from a module, leads to; all of the module where nothing is read from it."""
        known = self._module(module)
        if known is None:  # not ours
            yield ".".join((module, *chain))
        elif not chain:
            yield from ((module, name) for name in known.statements)
            for target in known.imports.values():
                yield from self._resolve_import(target, ())
        elif chain[0] in known.statements:
            yield module, chain[0]
        elif chain[0] in known.imports:
            yield from self._resolve_import(known.imports[chain[0]], chain[1:])
        elif self._module(f"{module}.{chain[0]}") is not None:
            yield from self._resolve_chain(f"{module}.{chain[0]}", chain[1:])
        elif not chain[0].startswith("__"):
            raise LookupError(f"{module} has no {chain[0]}.")

    def _module(self, name: str) -> Module | None:
        if name not in self._modules:
            self._modules[name] = self._parse_module(name)
        return self._modules[name]

    def _parse_module(self, name: str) -> Module | None:
        first, *rest = name.split(".")
        base = self.folder.joinpath(*rest)
        is_package = base.is_dir()
        path = base / "__init__.py" if is_package else base.with_suffix(".py")
        if first != self.folder.name or not path.is_file():
            return None
        return parse_module(name if is_package else name.rpartition(".")[0], path.read_bytes())
