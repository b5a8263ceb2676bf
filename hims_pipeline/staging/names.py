"""What columns are called in staging, and their types there. Not here: the SQL of views (`models`)."""

from hims_pipeline.contracts.columns import Column
from hims_pipeline.contracts.missing import FLAG_SUFFIX, MISSING_SUFFIX
from hims_pipeline.contracts.model import Contract
from hims_pipeline.contracts.names import fold_name

SQL_TYPES = {"integer": "bigint", "number": "double", "text": "varchar", "date": "date", "boolean": "boolean"}
BATCH_COLUMNS = {
    "source": "varchar",
    "entity": "varchar",
    "period": "varchar",
    "batch_id": "varchar",
    "layout": "varchar",
    "record_no": "bigint",
}
IMPUTED = "imputed_columns"
"""Of a row with values of donors: the columns that have one, with blanks between."""


def rendered_type(kind: str) -> str:
    """A type as models say it, which more engines than DuckDB read."""
    return {"varchar": "string", "uuid": "{{ key_type() }}"}.get(kind, kind)


def staged_type(column: Column) -> str:
    """DuckDB's type of a column in staging; a pseudonym is a UUID."""
    if column.sensitivity == "identifier":
        return "uuid"
    return f"decimal(18,{column.scale})" if column.type == "decimal" else SQL_TYPES[column.type]


def staged_name(column: str) -> str:
    """Name in staging; one that a column of ours holds already gets the suffix `_sent`."""
    name = fold_name(column)
    return f"{name}_sent" if name in BATCH_COLUMNS or name == IMPUTED else name


def columns_beside(contract: Contract, entity_name: str) -> dict[str, str]:
    """Columns that stand beside values in some layout, by their names as read -> in staging: why a cell has no value,
    and its flags."""
    periods = ["", *(layout.known_periods[0] for layout in contract.layouts)]
    beside = {}
    for column in contract.entities[entity_name].kept_columns:
        same = [
            one
            for period in periods
            for one in contract.entity_in(entity_name, period).kept_columns
            if one.name == column.name
        ]
        for suffix, is_there in (
            (MISSING_SUFFIX, any(one.absent.has_reason for one in same)),
            (FLAG_SUFFIX, any(one.absent.has_flag for one in same)),
        ):
            if is_there:
                beside[column.name + suffix] = staged_name(column.name) + suffix
    return beside
