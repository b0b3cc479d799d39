"""Workbooks, as small as they can be, and those made to exhaust memory."""

import io
import zipfile

import pytest
from python_calamine import CalamineError

from pipelines import limits
from pipelines.media.documents.sheets import read
from pipelines.media.read import Asked, NotRead, Read
from tests.conftest import SHARED_DATA
from tests.media.samples import encoded, plain

DOCUMENTS = SHARED_DATA / "documents"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
FIXED = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" '
    'ContentType="application/xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r" Type="{R}/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
}  # fmt: skip


def packed(members: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def xlsx(*sheets: str, hidden: frozenset[int] = frozenset(), **members: str | bytes) -> bytes:
    listed = "".join(
        f'<sheet name="Tab{at}" sheetId="{at}" r:id="r{at}" state="{"hidden" if at in hidden else "visible"}"/>'
        for at in range(1, len(sheets) + 1)
    )
    related = "".join(
        f'<Relationship Id="r{at}" Type="{R}/worksheet" Target="worksheets/sheet{at}.xml"/>' for at in range(1, len(sheets) + 1)
    )
    bodies = {
        f"xl/worksheets/sheet{at}.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
        for at, rows in enumerate(sheets, start=1)
    }
    return packed({
        **FIXED,
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{R}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{related}</Relationships>',
        **bodies,
        **{name.replace("__", "/"): data for name, data in members.items()},
    })  # fmt: skip


def cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def row(*cells: str) -> str:
    return f"<row>{''.join(cells)}</row>"


def of(data: bytes) -> Read:
    return read(data, Asked())


def texts(found: Read) -> dict[str, str]:
    return {part.id: part.text for part in found.parts}


ONE = row(cell("A1", "one"))


def test_cells_are_tab_separated_and_whole_numbers_have_no_point() -> None:
    found = of(
        xlsx(row(cell("A1", "name"), '<c r="C1"><v>7</v></c>', '<c r="D1"><v>1.5</v></c>', '<c r="E1" t="b"><v>1</v></c>'))
    )

    assert texts(found) == {"/names:0": "Tab1", "/sheet:1/text:0": "name\t\t7\t1.5\tTrue"}
    assert found.gaps == ()


def test_hidden_sheets_are_read_and_said_to_be_hidden() -> None:
    found = of(xlsx(ONE, row(cell("A1", "two")), ONE, hidden=frozenset({2, 3})))

    assert texts(found)["/sheet:2/text:0"] == "two"
    assert {part.id: part.note for part in found.parts}["/sheet:2/text:0"] == "sheet 2, hidden from readers"
    assert found.coverage == "3 sheets, 2 of them hidden, all of 6 words"


def test_comments_drawings_and_pictures_are_read_as_well() -> None:
    found = of(
        xlsx(
            ONE,
            xl__comments1_xml=f'<comments xmlns="{MAIN}"><comment><text><r><t>a remark</t></r></text></comment></comments>',
            xl__drawing_xml='<d:wsDr xmlns:d="urn:d" xmlns:a="urn:a"><a:p><a:t>a box</a:t></a:p></d:wsDr>',
            xl__media__image1=encoded(plain(), "PNG"),
        )
    )

    assert texts(found)["/comments:0"] == "a remark"
    assert texts(found)["/drawing:0"] == "a box"
    assert [member.name for member in found.members] == ["image1"]


def test_macros_are_a_fact() -> None:
    project = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "_VBA_PROJECT".encode("utf-16-le")

    found = of(xlsx(ONE, xl__anything_bin=project))

    assert [(fact.about, fact.kind, fact.severity) for fact in found.facts] == [("tampering", "active_content", 2)]
    assert found.members == ()


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(row(cell("A1", "a")) + row(cell("XFD1048576", "z")), id="corner-to-corner"),
        pytest.param(row(cell("XFD1048576", "z")), id="calamine-pads-from-the-first-cell"),
        pytest.param(row(cell("a1", "a")) + row(cell("xfd1048576", "z")), id="lower-case"),
        pytest.param("<row/>" * 5_000 + row(cell("XFD5001", "z")), id="rows-without-numbers"),
        pytest.param('<row r="1048576"><c><v>1</v></c></row>' + row(cell("XFD1", "z")), id="the-row-says-where"),
        pytest.param(row(cell("A1", "a")) + '<row r="400"><c/>' + "<c/>" * 16_000 + "</row>", id="cells-without-places"),
    ],
)
def test_a_sparse_sheet_is_refused_before_it_is_laid_out(rows) -> None:
    with pytest.raises(NotRead) as declined:
        of(xlsx(rows))

    assert declined.value.status == "refused-limits"
    assert f"{limits.SHEET_CELLS:,}" in str(declined.value)


def test_the_guard_also_sees_sheets_that_the_workbook_does_not_name() -> None:
    stray = f'<worksheet xmlns="{MAIN}"><sheetData>{row(cell("XFD1048576", "z"))}</sheetData></worksheet>'

    with pytest.raises(NotRead):
        of(xlsx(ONE, xl__else=stray))


def test_a_long_sheet_is_cut_and_says_so() -> None:
    found = of(xlsx("".join(row(cell(f"A{at}", "hello world")) for at in range(1, 30_000))))

    assert sum(len(part.text) for part in found.parts) <= limits.DOCUMENT_CHARS
    assert [gap.kind for gap in found.gaps] == ["partial"]


NAMES = "urn:oasis:names:tc:opendocument:xmlns"


def ods(rows: str) -> bytes:
    names = " ".join(f'xmlns:{name}="{NAMES}:{name}:1.0"' for name in ("office", "table", "text"))
    return packed({
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
        "META-INF/manifest.xml": f'<m:manifest xmlns:m="{NAMES}:manifest:1.0"/>',
        "content.xml": f"<office:document-content {names}><office:body><office:spreadsheet>"
        f'<table:table table:name="Tab">{rows}</table:table></office:spreadsheet></office:body></office:document-content>',
    })  # fmt: skip


WORD = '<table:table-cell office:value-type="string"><text:p>word</text:p>{}</table:table-cell>'
EMPTY = (
    '<table:table-row table:number-rows-repeated="1048575"><table:table-cell table:number-columns-repeated="16384"/>'
    "</table:table-row>"
)


def test_an_opendocument_sheet_is_read_with_its_comments_and_its_usual_empty_end() -> None:
    found = of(
        ods(
            f"<table:table-row>{WORD.format('<office:annotation><text:p>remark</text:p></office:annotation>')}</table:table-row>{EMPTY}"
        )
    )

    assert texts(found)["/sheet:1/text:0"] == "word"
    assert texts(found)["/comments:0"] == "remark"


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(
            '<table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384">'
            "<text:p>x</text:p></table:table-cell></table:table-row>",
            id="one-cell-repeated",
        ),
        pytest.param(
            f'{EMPTY}<table:table-row><table:table-cell table:number-columns-repeated="16383"/>{WORD.format("")}'
            "</table:table-row>",
            id="behind-empty-ones",
        ),
    ],
)  # fmt: skip
def test_repeated_cells_of_an_opendocument_sheet_are_counted(rows) -> None:
    with pytest.raises(NotRead) as declined:
        of(ods(rows))

    assert declined.value.status == "refused-limits"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2_000), id="empty-ole"),
        pytest.param(xlsx(ONE)[:200], id="cut"),
        pytest.param(packed({"xl/nothing.txt": "x"}), id="no-workbook"),
    ],
)
def test_a_damaged_file_is_an_error(data) -> None:
    with pytest.raises((CalamineError, NotRead, zipfile.BadZipFile)):
        of(data)


needs_documents = pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the sample documents are not beside the project")


@needs_documents
@pytest.mark.parametrize("name", ["sparse_20000x702.xlsx", "sparse_a1_and_xfd1048576.xlsx"])
def test_the_sparse_samples_are_refused(name) -> None:
    with pytest.raises(NotRead):
        of((DOCUMENTS / "made" / name).read_bytes())


@needs_documents
def test_the_sample_with_all_types() -> None:
    found = of((DOCUMENTS / "made/cell_types_hidden_sheet.xlsx").read_bytes())

    assert texts(found)["/sheet:1/text:0"].splitlines()[1].split("\t")[:4] == ["2025-03-04", "7", "1.5", "0.19"]
    assert texts(found)["/sheet:2/text:0"] == "secret"
    assert found.coverage.startswith("2 sheets, 1 of them hidden")


@needs_documents
def test_the_sample_workbooks_are_all_read_and_two_kinds_agree() -> None:
    files = [file for file in sorted(DOCUMENTS.glob("*/*.xls*")) if "sparse" not in file.name]

    found = {file.name: of(file.read_bytes()) for file in files}

    assert len(found) == 9
    assert all(reading.parts and not reading.gaps for reading in found.values())
    assert texts(found["test.xls"]) == texts(found["test.xlsx"])
