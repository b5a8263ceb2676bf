"""The grammar of names in docs/architecture.md, as far as it can be held by machine."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

import pytest

from hims_pipeline.settings import REPOSITORY

PACKAGES = [REPOSITORY / "hims_pipeline", REPOSITORY / "hims_synthetic"]
# What a function does. A word that is no verb does not belong here; one that means the same as another does not either.
VERBS = set(
    """
    accept acknowledge act add advise answer append apply approve arrive attach attack audit await backup bear beat cap
    begin block break build carry change check choose clear close collect combine compare compile compose connect
    construct contain continue convert copy count create cut date decide declare decode delete deliver derive
    describe destroy diagnose discard draft draw drop eliminate end enter escape evaluate examine exchange exec
    execute expand explain export extract fail fill find finish fit fold follow forget format gather get give group
    guard guess gunzip hash hold increase index ingest insert install interpolate invoke join judge keep kill leave
    lend let link list live load lock log look make map mark mask match measure mend migrate move name normalise
    note number open order pack parse peel pick place plan plot point post prepare print profile propagate protect
    prove publish put qualify queue quote rake reach read receive reconcile record redirect reduce refuse rehearse
    reinstate reject relax release remember remove render renew reopen replace report require reseal resolve restore
    resubmit retire revise roll rotate round run say scale schedule scrub seal seek send serve set settle shake
    share shorten show shuffle sign simplify solve sort spell split spread stage stamp start stream strip subtract
    suit summarise survey sync take tally tell tidy trace transcode translate try turn unpack unpivot unzip use
    validate verify visit wait walk warn watch widen wipe withdraw withhold write zip
    """.split()  # noqa: SIM905
)
# A question that is answered by yes or no: an auxiliary, or a verb in the third person.
PREDICATES = set(
    """
    accepts admits agree allows asks begins can cannot comes continues counts covers demonstrates depends differs do
    does ends fails fits has holds is joins lacks lies lists matches may must names navigates needs passes reaches
    reads refuses takes tells was were
    """.split()  # noqa: SIM905
)
# Words that name nothing. A function may not be called by these alone, nor begin with one of the first list.
NO_BEGINNING = set(
    """
    about above across after again alone also among apart back before behind below beneath beside between beyond but by
    during elsewhere for here how if in inside into later mostly near not now off on once only or otherwise out over per
    since so still than then there through together too toward under unless until up upon when where whether which who
    whose why with within without
    """.split()  # noqa: SIM905
)
NO_NOUN = NO_BEGINNING | set(
    """
    all any begun blind bound broken built common different distinct doubtful drawn each every exact foreign forgotten
    found full gone harmless hidden intact judged kept known last late left lent live loose lost made missing narrow new
    no of one other own plain present private provable public put quiet same seen sent short shown similar small spelt
    spent spoilt strange such taken told said unsafe usable valid visible well what whole written wrong
    """.split()  # noqa: SIM905
)
ENDINGS = {"feed", "need", "seed", "speed"} | {
    "string", "heading", "setting", "mapping", "finding", "warning", "reading", "heaping", "typing", "encoding",
    "meaning", "renaming", "closing",
}  # fmt: skip
# Names that somebody else chose, or that read as one phrase with what stands before the dot: `contract.at(period)`.
ALLOWED = {"at", "of", "modified", "missing_of"}
FORBIDDEN = {"found", "said", "told"}
# One name, several modules: each is one of a kind that is called through a registry, or the start of a program.
SHARED = {"main", "open_table", "read_codebook"}


@cache
def modules() -> dict[str, ast.Module]:
    files = [path for package in PACKAGES for path in sorted(package.rglob("*.py"))]
    return {
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
            path.read_text(encoding="utf-8")
        )
        for path in files
    }


def functions(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (part for part in ast.walk(node) if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef))


def is_free(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """What is named otherwise: properties hold, commands are called as on the command line, Python names its own."""
    decorators = " ".join(ast.unparse(decorator) for decorator in function.decorator_list)
    return function.name.startswith("__") or bool(re.search(r"property|command|group\(", decorators))


def is_noun(word: str) -> bool:
    return word not in NO_NOUN and (word in ENDINGS or not word.endswith(("ed", "ing")))


def fault_of(name: str, returns: str | None) -> str:
    """What is wrong with the name of a function that returns this; empty where nothing is."""
    words = name.strip("_").split("_")
    if words[0] in VERBS or name in ALLOWED:
        return ""
    if returns in ("None", "NoReturn"):
        return "does something, and begins with no verb"
    if returns == "bool":
        return "" if words[0] in PREDICATES else "answers yes or no, and does not ask"
    if words[0] in PREDICATES or (words[0] in ("as", "from", "to") and len(words) > 1):
        return ""
    if words[0] in NO_BEGINNING:
        return "begins with a word that names nothing"
    return "" if any(map(is_noun, words)) else "names neither what it does nor what it gives"


@pytest.mark.parametrize(
    ("name", "returns", "is_good"),
    [
        ("write_letter", "None", True), ("letter", "None", False), ("letter_of", "str", True),
        ("standing", "Batch", False), ("counting", "list[Batch]", False), ("behind", "str", False),
        ("_damaged_in", "list[str]", False), ("damaged_files", "list[str]", True), ("is_open", "bool", True),
        ("open_door", "bool", True), ("same", "bool", False),
        ("covers", "bool", True), ("as_json", "str", True), ("told", "str", False), ("next_number", "int", True),
    ],
)  # fmt: skip
def test_the_grammar_itself(name: str, returns: str, is_good: bool) -> None:
    assert (fault_of(name, returns) == "") == is_good


def test_functions_are_called_what_they_do_or_what_they_give() -> None:
    faults = [
        f"{module}:{function.lineno} {function.name}: {fault}"
        for module, tree in modules().items()
        for function in functions(tree)
        if not is_free(function)
        and (fault := fault_of(function.name, ast.unparse(function.returns) if function.returns else None))
    ]
    assert faults == []


def test_results_are_called_what_they_hold() -> None:
    """`one` may stand for each of many in a loop or a comprehension, where it is read in the same breath."""
    faults = []
    for module, tree in modules().items():
        for node in ast.walk(tree):
            names: set[str] = set()
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names = {node.id} & FORBIDDEN
            elif isinstance(node, ast.arg):
                names = {node.arg} & FORBIDDEN
            elif isinstance(node, ast.Assign | ast.NamedExpr):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                parts = [p for t in targets for p in (t.elts if isinstance(t, ast.Tuple | ast.List) else [t])]
                names = {"one"} & {part.id for part in parts if isinstance(part, ast.Name)}
            faults += [f"{module}:{node.lineno} {name}" for name in names]  # type: ignore[attr-defined]
    assert [
        fault for fault in faults if not fault.startswith("hims_pipeline.watch.alert_book:")
    ] == []  # when it was found


def test_one_name_means_one_thing() -> None:
    """A lone verb may stand in several modules, since it is called with its module in front: `trail.renew`."""
    places = defaultdict(set)
    for module, tree in modules().items():
        if not module.startswith(("hims_pipeline.commands", "hims_synthetic")):
            for node in tree.body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].add(module)
    several = {name for name, held in places.items() if len(held) > 1} - SHARED
    assert sorted(name for name in several if name not in VERBS) == []
    bare = {
        f"{module} imports {alias.name}"
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "") in modules()
        for alias in node.names
        if alias.name in several and f"{node.module}.{alias.name}" not in modules()
        and not (node.module or "").startswith(f"{module}.")  # a package gives its parts' names on
    }  # fmt: skip
    assert sorted(bare) == []
