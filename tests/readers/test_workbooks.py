"""Workbooks as other programs write them: OpenDocument sheets, formulas, sections of XML. What a library is silent
about is told with its row."""

import pytest

from tests.readers.corpus import tables
from tests.readers.test_second_look import PLACES, sheet

MERGED_DOWN = (
    '<table:table-cell table:number-rows-spanned="2" office:value-type="string"><text:p>NE</text:p></table:table-cell>'
)
COVERED = "<table:covered-table-cell/>"
WIDE = MERGED_DOWN.replace("rows-spanned", "columns-spanned").replace("NE", "T")
COLLAPSED = ' table:visibility="collapse"'
OPEN_ERROR = '<table:table-cell table:formula="of:=1/0" office:value-type="float" office:value="0"><text:p>#DIV/0!</text:p></table:table-cell>'  # noqa: E501


@pytest.mark.parametrize(
    ("rows", "form", "seen_as"),
    [
        ([(MERGED_DOWN, 1), (COVERED, 2)], {}, ["ENVELOPE-MERGED"]),
        ([(MERGED_DOWN, 1), (COVERED, 2)], {"fill_down": ["gov"]}, [("NE", 1), ("NE", 2)]),
        ([("a", 1), (WIDE, None)], {}, ["ENVELOPE-MERGED"]),
        ([("a", 1), ("b", OPEN_ERROR)], {}, ["ENVELOPE-CELL-ERROR"]),
        ([("a", 1), ("b", OPEN_ERROR.replace("float", "string").replace(' office:value="0"', ""))], {},
         ["ENVELOPE-CELL-ERROR"]),
    ],
)  # fmt: skip
def test_what_an_open_document_merges_or_could_not_compute_is_told(read, rows, form, seen_as):
    def cell(value):
        if value is None:
            return COVERED
        return tables.number(value) if isinstance(value, int) else value if "<" in value else tables.text(value)

    made = tables.OPEN[0] + "".join(tables.row(*map(cell, cells)) for cells in rows)
    seen = read({"people.ods": tables.ods(made)}, PLACES, format={"type": "excel", **form})
    assert (seen.rules or seen.sql("gov, population")) == seen_as


def test_hidden_rows_of_an_open_document_are_those_that_are_left_out(read):
    hidden = tables.row(tables.text("TOTAL"), tables.number(351), more=COLLAPSED)
    made = tables.ods(tables.OPEN[0] + hidden + tables.OPEN[2])
    for what, values in (("skip", [("Sousse", 350)]), ("read", [("TOTAL", 351), ("Sousse", 350)])):
        seen = read({"people.ods": made}, PLACES, format={"type": "excel", "hidden_rows": what})
        assert seen.sql("gov, population") == values
    assert read({"people.ods": made}, PLACES, format={"type": "excel"}).findings[0].lines == (2,)


def test_a_title_merged_above_an_open_table_is_no_matter(read):
    title = tables.row(WIDE.replace(">T<", ">Title<"), COVERED)
    made = tables.ods(title + "".join(tables.OPEN))
    assert read({"people.ods": made}, PLACES, format={"type": "excel", "skip_rows": 1}).sql("population") == [
        (1,),
        (350,),
    ]


def test_a_value_in_a_section_of_xml_that_the_library_passes_over_is_not_read(read):
    change = tables.part("xl/worksheets/sheet1.xml", b"<v>350</v>", b"<v><![CDATA[350]]></v>")
    made = change(sheet([["gov", "population"], ["Tunis", 350]]))
    assert read({"people.xlsx": made}, PLACES, format={"type": "excel"}).rules == ["ENVELOPE-UNSAFE"]


def test_blanks_are_filled_from_hidden_rows_too_before_these_are_left_out(read):
    made = sheet(
        [["gov", "population"], ["NE", 1], [None, 2]], lambda page: setattr(page.row_dimensions[2], "hidden", True)
    )
    form = {"type": "excel", "fill_down": ["gov"], "hidden_rows": "skip"}
    assert read({"people.xlsx": made}, PLACES, format=form).sql("gov, population") == [("NE", 2)]


def test_formulas_without_a_value_are_found_far_down_and_others_are_no_matter(read):
    made = sheet([["gov", "population"], *[[f"g{n}", "=1+1"] for n in range(2_050)]])
    computed = tables.part("xl/worksheets/sheet1.xml", b"<v />", b"<v>2</v>")(made)
    computed = (
        tables.part("xl/worksheets/sheet1.xml", b"<v></v>", b"<v>2</v>")(computed) if computed == made else computed
    )
    assert read({"people.xlsx": computed}, PLACES, format={"type": "excel"}).sql("sum(population)") == [(4_100,)]
    last = b'<c r="B2051"><f>1+1</f><v>2</v></c>'
    for other in (b"<f>1+1</f>", b"<f>1+1</f><v></v>", b"<f>1+1</f><v/>", b'<f t="shared" si="0"/>'):
        change = tables.part("xl/worksheets/sheet1.xml", last, b'<c r="B2051">' + other + b"</c>")
        [finding] = read({"people.xlsx": change(computed)}, PLACES, format={"type": "excel"}).findings
        assert (finding.rule, finding.lines) == ("ENVELOPE-FORMULA", (2_051,))


TEXT = '<table:table-cell office:value-type="string">{}</table:table-cell>'
DRAWN = 'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"'


@pytest.mark.parametrize(
    ("inside", "refused"),
    [
        ("<text:p>a<text:tab/>b</text:p>", True),
        ("<text:p>a<text:line-break/>b</text:p>", True),
        (f"<text:p>a</text:p><draw:frame {DRAWN}><draw:text-box><text:p>b</text:p></draw:text-box></draw:frame>", True),
        ("<office:annotation><text:p>a<text:tab/>b</text:p></office:annotation><text:p>a</text:p>", False),
        ('<text:p>a<text:s text:c="2"/>b</text:p>', False),
    ],
)
def test_texts_of_an_open_document_that_the_library_gives_otherwise_are_refused(read, inside, refused):
    rows = tables.OPEN[0] + tables.row(TEXT.format(inside), tables.number(1))
    seen = read({"people.ods": tables.ods(rows)}, PLACES, **tables.EXCEL)
    assert seen.rules == (["ENVELOPE-UNSAFE"] if refused else []), seen.text
    unread = read({"people.ods": tables.ods(rows)}, PLACES[1:], format={"type": "excel", "header": "by_name"})
    assert all(one.severity == "warning" for one in unread.findings)


def test_spans_of_an_open_document_are_hours_however_long(read):
    """The library gives those of less than a day as times, and the others as the file has them."""
    spans = {"PT23H59M59S": "23:59:59", "PT25H03M00S": "25:03:00", "-PT01H00M00S": "-01:00:00", "P1DT2H": "26:00:00",
             "PT36M": "00:36:00", "PT30H00M00.5S": "30:00:00.5"}  # fmt: skip
    cell = '<table:table-cell office:value-type="time" office:time-value="{}"><text:p>?</text:p></table:table-cell>'
    made = tables.row(tables.text("gov"), tables.text("population"))
    made += "".join(tables.row(tables.text(text), cell.format(text)) for text in spans)
    made += tables.row(tables.text("P"), tables.text("PTT"))
    columns = [{"name": "gov"}, {"name": "population"}]
    seen = read({"people.ods": tables.ods(made)}, columns, format={"type": "excel"})
    assert [value for (value,) in seen.sql("population")] == [*spans.values(), "PTT"]
