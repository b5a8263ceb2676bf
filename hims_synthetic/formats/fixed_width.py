"""Fixed-width text and the DDI-Codebook that describes it."""

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import duckdb

from hims_synthetic.formats.variables import Label, Variable, fixed_width_line, label_texts, write_lines

_NAMESPACE = "ddi:codebook:2_5"


def write_fixed_width(
    con: duckdb.DuckDBPyConnection,
    query: str,
    path: Path,
    variables: Sequence[Variable],
    codebook: Path | None = None,
    encoding: str = "utf-8",
    title: str = "SYNTHETIC",
) -> Path:
    """Write a query's rows, in its order, as lines of fixed fields; returns the data file's path.

    Args:
        variables: in the order of the line, each a column of the query.
        codebook: where to write the DDI-Codebook; none is written without it.
        encoding: of the data file; places count characters.
    """
    write_lines(con, f"select {fixed_width_line(variables)} as l from ({query})", path, encoding)
    if codebook is not None:
        codebook.parent.mkdir(parents=True, exist_ok=True)
        codebook.write_text(ddi_codebook(variables, path.name, title), encoding="utf-8")
    return path


def ddi_codebook(variables: Sequence[Variable], file: str, title: str) -> str:
    """The XML of a DDI-Codebook 2.5 for one data file."""
    described, start = [], 1
    for variable in variables:
        described.append(_variable(variable, start))
        start += variable.width
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<codeBook xmlns="{_NAMESPACE}" version="2.5">\n'
        f"<stdyDscr><citation><titlStmt><titl>{escape(title)}</titl></titlStmt></citation></stdyDscr>\n"
        f'<fileDscr ID="F1"><fileTxt><fileName>{escape(file)}</fileName>'
        f"<dimensns><logRecL>{start - 1}</logRecL></dimensns></fileTxt></fileDscr>\n"
        "<dataDscr>\n" + "\n".join(described) + "\n</dataDscr>\n</codeBook>\n"
    )


def _variable(variable: Variable, start: int) -> str:
    decimals = f' dcml="{variable.decimals}"' if variable.decimals and not variable.decimal_mark else ""
    codes = dict(variable.values) | {code: "" for code in variable.special if code not in variable.values}
    missing = dict.fromkeys(variable.special, ' missing="Y"')
    categories = "".join(
        f"<catgry{missing.get(code, '')}><catValu>{escape(str(code))}</catValu>{_labels(label)}</catgry>"
        for code, label in codes.items()
    )
    kind = "numeric" if variable.numeric else "character"
    return (
        f'<var ID={quoteattr(variable.name)} name={quoteattr(variable.name)} files="F1"{decimals}>'
        f'<location StartPos="{start}" EndPos="{start + variable.width - 1}" width="{variable.width}"/>'
        f"{_labels(variable.label)}{categories}"
        f'<varFormat type="{kind}"/></var>'
    )


def _labels(label: Label) -> str:
    if isinstance(label, str):
        return f"<labl>{escape(label)}</labl>" if label else ""
    texts = zip(label, label_texts(label, label), strict=True)
    return "".join(f"<labl xml:lang={quoteattr(language)}>{escape(text)}</labl>" for language, text in texts)
