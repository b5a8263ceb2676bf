"""How many records stand behind the groups of a question, and how many of them behind published cells too: counted in
the facts of a release. Not here: which numbers are too small (`groups`)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hims_pipeline.contracts.indicators import Formula, Indicator
from hims_pipeline.estimating.groups import Key, PublishedCell, PublishedTable, groups_of
from hims_pipeline.estimating.question import DomainQuestion
from hims_pipeline.sql import literal

if TYPE_CHECKING:
    import duckdb

Sample = tuple[str, str]  # batch_id, entity: within one, groups are of the same records
Place = tuple[Sample, Key]  # a cell of the question: its sample, and the values that it is broken down by
SAMPLE = ("source", "time_period", "vintage", "universe", "duration_rule")  # what a figure shares with its records
AREA = "ref_area"


def count_groups(
    con: "duckdb.DuckDBPyConnection", question: DomainQuestion, groups: Mapping[str, str]
) -> dict[Place, dict[str, int]]:
    """Records of each group (name -> SQL condition) in each cell of the question."""
    rows = con.execute(
        f"select batch_id, entity, {_columns(question.by)} {_counts(groups)} from {question.records} group by all"
    ).fetchall()
    size = 2 + len(question.by)
    return {
        ((batch, entity), tuple(row[: size - 2])): dict(zip(groups, row[size - 2 :], strict=True))
        for batch, entity, *row in rows
    }


def _columns(names: Iterable[str]) -> str:
    return "".join(f"coalesce(cast({name} as varchar), '_U') as by_{name}, " for name in names)


def _counts(conditions: Mapping[str, str]) -> str:
    return ", ".join(f"count(*) filter ({condition})" for condition in conditions.values())


class Published:
    """Published tables over a question's fact, beside the groups of the question.

    Args:
        con: the release's staff file.
        dimensions: dimension -> column of facts, where a formula does not say otherwise (macro `fact_dimensions`).
    """

    def __init__(
        self,
        con: "duckdb.DuckDBPyConnection",
        question: DomainQuestion,
        indicators: Iterable[Indicator],
        dimensions: Mapping[str, str],
    ) -> None:
        self.con, self.question, self.dimensions = con, question, dimensions
        self.formulas = [
            (one, formula)
            for one in indicators
            for formula in one.formula
            if one.publish and formula.fact == question.formula.fact
        ]
        self.above = self._read_areas_above()

    def _read_areas_above(self) -> dict[tuple[str, str], list[tuple[str, str]]]:
        """Batch and area -> level and code of each area that it lay in on the last day of the batch's period."""
        rows = self.con.execute(
            "select distinct batches.batch_id, above.area_code, above.ancestor_level, above.ancestor_code"
            " from conformed.dim_area_ancestor as above join conformed.dim_batch as batches on batches.source = ?"
            " and above.ancestor_level != 'country'"
            " and batches.period_end_date >= coalesce(above.valid_from_date, date '0001-01-01')"
            " and batches.period_end_date < coalesce(above.valid_to_date, date '9999-12-31')",
            [self.question.source],
        ).fetchall()
        above = defaultdict(list)
        for batch, area, level, code in rows:
            above[batch, area].append((level, code))
        return above

    def tables_beside(self, group: str) -> Iterable[tuple[Place, list[PublishedTable]]]:
        """For each cell of the question, tables of one indicator's published groups with what they share with `group`.

        Args:
            group: SQL condition of the group.
        """
        for indicator, formula in self.formulas:
            for condition in groups_of(formula).values():
                yield from self._tables_of(indicator, formula, condition, group)

    def _tables_of(
        self, indicator: Indicator, formula: Formula, condition: str, group: str
    ) -> Iterable[tuple[Place, list[PublishedTable]]]:
        beside: dict[Place, list[PublishedTable]] = defaultdict(list)
        allowed = {frozenset(cell) for cell in indicator.allowed_cells}
        for dims in formula.cells:
            if frozenset(dims) - {AREA} in allowed and not set(dims) & set(formula.parts):
                for place, table in self._count_cells(indicator, formula, dims, condition, group):
                    beside[place].append(table)
        yield from beside.items()

    def _count_cells(
        self, indicator: Indicator, formula: Formula, dims: Sequence[str], condition: str, group: str
    ) -> Iterable[tuple[Place, PublishedTable]]:
        shown = self._read_shown(indicator, dims)
        by = self.question.by
        expressions = [formula.dimensions.get(name) or self.dimensions.get(name, name) for name in dims]
        listed = "".join(f"coalesce({sql}, '_U') as dim_{name}, " for name, sql in zip(dims, expressions, strict=True))
        counts = _counts({"all": condition, "shared": f"({condition}) and ({group})"})
        sample = ", ".join(SAMPLE)
        rows = self.con.execute(
            f"select batch_id, entity, {sample}, ref_country, {_columns(by)} {listed} {counts}"
            f" from {self.question.records} group by all"
        ).fetchall()
        records: dict[tuple[Sample, str, Key], int] = defaultdict(int)
        shared: dict[tuple[Sample, str, Key], dict[Key, int]] = defaultdict(lambda: defaultdict(int))
        is_shown: dict[tuple[Sample, str, Key], bool] = {}
        for batch, entity, *row in rows:
            series, country, rest = tuple(row[: len(SAMPLE)]), row[len(SAMPLE)], row[len(SAMPLE) + 1 :]
            mine, key, (n, both) = tuple(rest[: len(by)]), rest[len(by) : -2], rest[-2:]
            for level, codes in self._spread(batch, dims, key):
                cell = ((batch, entity), level, codes)
                records[cell] += n
                shared[cell][mine] += both
                is_shown[cell] = (*series, *(codes if AREA in dims else (country, *codes))) in shown
        yield from _arrange(dims, records, shared, is_shown)

    def _spread(self, batch: str, dims: Sequence[str], key: Sequence[str]) -> Iterable[tuple[str, Key]]:
        """The cell, and those of the areas above: level and key, the area first."""
        if AREA not in dims:
            return [("", tuple(key))]
        place = list(dims).index(AREA)
        others = tuple(value for n, value in enumerate(key) if n != place)
        above = self.above.get((batch, key[place]), [])
        return [("", (key[place], *others)), *((level, (code, *others)) for level, code in above)]

    def _read_shown(self, indicator: Indicator, dims: Sequence[str]) -> set[tuple[Any, ...]]:
        """Sample, area and codes of the figures that the release shows of these dimensions."""
        names = [name for name in dims if name != AREA]
        columns = ", ".join([*SAMPLE, AREA, *names])
        figures = self.con.execute(
            f"select distinct {columns} from published.indicator_value where indicator = ? and source = ?"
            f" and conf_status = 'F' and cell = {literal(' '.join(sorted(names)))}",
            [indicator.code, self.question.source],
        )
        return set(figures.fetchall())


def _arrange(
    dims: Sequence[str],
    records: Mapping[tuple[Sample, str, Key], int],
    shared: Mapping[tuple[Sample, str, Key], Mapping[Key, int]],
    is_shown: Mapping[tuple[Sample, str, Key], bool],
) -> Iterable[tuple[Place, PublishedTable]]:
    """One table for each sample and level of areas, and each cell of the question that shares records with it."""
    names = tuple([AREA] * (AREA in dims) + [name for name in dims if name != AREA])
    tables: dict[tuple[Sample, str], list[Key]] = defaultdict(list)
    for sample, level, key in records:
        tables[sample, level].append(key)
    for (sample, level), keys in tables.items():
        cells = [(sample, level, key) for key in keys if records[sample, level, key]]
        mine = {own for cell in cells for own, n in shared[cell].items() if n}
        for own in mine:
            table = {
                cell[2]: PublishedCell(cell[2], records[cell], shared[cell].get(own, 0), is_shown[cell])
                for cell in cells
            }
            yield (sample, own), PublishedTable((*names, level) if level else names, table)
