"""Word documents and presentations, made on the spot as the zip archives that they are."""

import io
import os
import re
import zipfile
from xml.etree import ElementTree

import pytest

from pipelines import limits
from pipelines.content import Fact
from pipelines.media.documents.office import read
from pipelines.media.documents.packages import open_package
from pipelines.media.documents.passages import Passages
from pipelines.media.read import Asked, NotRead, Read
from tests.conftest import SHARED_DATA
from tests.media.samples import encoded, plain

DOCUMENTS = SHARED_DATA / "documents"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def packed(members: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def word(body: str, *, namespace: str = WORD, root: str = "document") -> str:
    return f'<w:{root} xmlns:w="{namespace}" xmlns:mc="urn:mc">{body}</w:{root}>'


def docx(body: str, **members: str | bytes) -> bytes:
    return packed({"word/document.xml": word(body)} | {name.replace("__", "/"): data for name, data in members.items()})


def relations(*lines: str) -> str:
    return f'<Relationships xmlns="{RELATIONS}">{"".join(lines)}</Relationships>'


def relation(id: str, kind: str, target: str, mode: str = "Internal") -> str:
    return f'<Relationship Id="{id}" Type="{R}/{kind}" Target="{target}" TargetMode="{mode}"/>'


def run(text: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"


def texts(found: Read) -> dict[str, str]:
    return {part.id: part.text for part in found.parts}


def kinds(found: Read) -> dict[str, tuple[str, int]]:
    return {fact.kind: (fact.about, fact.severity) for fact in found.facts}


def of(data: bytes) -> Read:
    return read(data, Asked())


@pytest.mark.parametrize("namespace", [pytest.param(WORD, id="transitional"), pytest.param(STRICT, id="strict")])
def test_paragraphs_breaks_and_tables_come_out_as_they_stand(namespace) -> None:
    row = "<w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr>"
    stops = "<w:pPr><w:tabs><w:tab/></w:tabs></w:pPr>"
    body = f"<w:p>{stops}<w:r><w:t>one</w:t><w:tab/><w:t>two</w:t><w:br/><w:t>three</w:t></w:r></w:p><w:tbl>{row}</w:tbl>"

    found = of(packed({"word/document.xml": word(body, namespace=namespace)}))

    assert texts(found) == {"/text:0": "one\ttwo\nthree\na \tb"}
    assert found.coverage == "all of 5 words"
    assert found.gaps == ()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            f"<mc:AlternateContent><mc:Choice>{run('box')}</mc:Choice><mc:Fallback>{run('box')}</mc:Fallback></mc:AlternateContent>",
            {"/text:0": "box"},
            id="a-text-box-once",
        ),
        pytest.param(
            f"<mc:AlternateContent><mc:Choice>{run('nice')}</mc:Choice><mc:Fallback>{run('evil')}</mc:Fallback></mc:AlternateContent>",
            {"/text:0": "nice", "/fallback:0": "evil"},
            id="unless-the-fallback-says-something-else",
        ),
        pytest.param(
            f"<w:p>{run('left')}<w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>",
            {"/text:0": "left", "/deleted:0": "gone"},
            id="a-tracked-deletion-apart",
        ),
        pytest.param(f"<w:p><w:r><w:instrText>PAGE</w:instrText></w:r>{run('7')}</w:p>", {"/text:0": "7"}, id="no-field-codes"),
        pytest.param(
            f"<w:p>{run('seen')}{run('unseen', '<w:vanish/>')}{run('again')}</w:p>",
            {"/text:0": "seenagain", "/hidden:0": "unseen"},
            id="hidden-text-apart",
        ),
        pytest.param(
            f"<w:r><w:p><w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr>{run('in a box')}</w:p></w:r>",
            {"/text:0": "in a box"},
            id="a-hidden-mark-within-a-run",
        ),
        pytest.param(
            "<w:p>" + run("shown", '<w:vanish w:val="0"/>') + "</w:p>", {"/text:0": "shown"}, id="vanish-switched-off"
        ),
        pytest.param(
            f"<w:p><w:pPr><w:rPr><w:vanish/></w:rPr></w:pPr>{run('shown')}</w:p>", {"/text:0": "shown"}, id="a-hidden-mark-only"
        ),
    ],
)
def test_what_readers_do_not_see_is_apart_or_left_out(body, expected) -> None:
    assert texts(of(docx(body))) == expected


def test_hidden_text_is_a_mild_fact() -> None:
    assert kinds(of(docx(run("x", "<w:vanish/>")))) == {"hidden_text": ("tampering", 1)}
    assert kinds(of(docx(run("x")))) == {}


def test_headers_notes_and_comments_are_read_under_whatever_name() -> None:
    parts = {
        root: word(f"<w:p>{run(f'in {root}')}</w:p>", root=root) for root in ("hdr", "ftr", "footnotes", "endnotes", "comments")
    }

    found = of(docx(run("body"), **{f"word__odd-{root}.dat": part for root, part in parts.items()}))

    assert set(texts(found).values()) == {"body", *(f"in {root}" for root in parts)}
    assert found.members == ()


def test_pictures_and_embedded_files_are_members_and_bookkeeping_is_not() -> None:
    picture = encoded(plain(), "PNG")
    members = {
        "word__media__image1.png": picture,
        "word__embeddings__sheet.xlsx": b"PK\x03\x04 inner",
        "word__media__drawing.svg": "<svg xmlns='urn:svg'/>",
        "word__afchunk.html": "<!DOCTYPE html><p>chunk</p>",
        "word__printerSettings1.bin": b"\1\2",
        "word__theme__theme1.xml": "<a:theme xmlns:a='urn:a'/>",
    }

    found = of(docx(run("x"), **members))

    assert {member.name for member in found.members} == {"image1.png", "sheet.xlsx", "drawing.svg", "afchunk.html"}
    assert picture in {member.data for member in found.members}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        pytest.param({"word__vbaProject.bin": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "_VBA_PROJECT".encode("utf-16-le")},
                     {"active_content": ("tampering", 2)}, id="macros"),
        pytest.param({"word___rels__document.xml.rels": relations(relation("r", "image", "http://x.example/a", "External"))},
                     {"external_reference": ("note", 0)}, id="an-external-picture"),
        pytest.param({"word___rels__document.xml.rels": relations(relation("r", "hyperlink", "http://x.example", "External"))},
                     {}, id="a-mere-link"),
    ],
)  # fmt: skip
def test_what_a_package_shows_without_being_read(members, expected) -> None:
    assert kinds(of(docx(run("x"), **members))) == expected


def test_a_field_that_starts_a_program_is_found_though_cut_into_runs() -> None:
    body = "<w:r><w:instrText> DDEA</w:instrText></w:r><w:r><w:instrText>UTO c:\\\\cmd.exe</w:instrText></w:r>"

    assert kinds(of(docx(body))) == {"active_content": ("tampering", 2)}


def test_links_alternative_texts_and_properties_are_read() -> None:
    core = "<cp:coreProperties xmlns:cp='urn:cp'><cp:title>a title</cp:title><cp:creator>who</cp:creator></cp:coreProperties>"
    links = relations(relation("r", "hyperlink", "https://x.example/pay", "External"))
    body = "<w:p><w:docPr id='1' descr='a cat'/></w:p>"

    found = of(docx(body, **{"docProps__core.xml": core, "word___rels__document.xml.rels": links}))

    assert texts(found) == {"/pictures:0": "a cat", "/links:0": "https://x.example/pay", "/metadata:0": "a title"}


def slide(text: str, attributes: str = "") -> str:
    return f'<p:sld xmlns:p="urn:p" xmlns:a="urn:a" {attributes}><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sld>'


def test_slides_come_in_the_order_in_which_they_are_shown_with_their_notes() -> None:
    notes = '<p:notes xmlns:p="urn:p" xmlns:a="urn:a"><a:p><a:t>say this</a:t></a:p></p:notes>'
    layout = (
        '<p:sldLayout xmlns:p="urn:p" xmlns:a="urn:a"><p:sp><p:nvPr><p:ph/></p:nvPr><a:p><a:t>Click to edit</a:t></a:p></p:sp>'
        "<p:sp><p:nvPr/><a:p><a:t>ACME</a:t></a:p></p:sp></p:sldLayout>"
    )
    order = "".join(f'<p:sldId id="{at}" r:id="r{at}"/>' for at in (2, 1))
    data = packed({
        "ppt/presentation.xml": f'<p:presentation xmlns:p="urn:p" xmlns:r="{R}">{order}</p:presentation>',
        "ppt/_rels/presentation.xml.rels": relations(*(relation(f"r{at}", "slide", f"slides/slide{at}.xml") for at in (1, 2))),
        "ppt/slides/slide1.xml": slide("second", 'show="0"'),
        "ppt/slides/slide2.xml": slide("first"),
        "ppt/slides/slide3.xml": slide("orphan"),
        "ppt/slides/_rels/slide2.xml.rels": relations(relation("r1", "notesSlide", "../notesSlides/n.xml")),
        "ppt/notesSlides/n.xml": notes,
        "ppt/slideLayouts/l.xml": layout,
    })  # fmt: skip

    found = of(data)

    assert texts(found) == {
        "/slide:1/text:0": "first",
        "/slide:1/notes:0": "say this",
        "/slide:2/text:0": "second",
        "/slide:3/text:0": "orphan",
        "/layout:0": "ACME",
    }
    assert {part.id: part.note for part in found.parts}["/slide:2/text:0"] == "slide 2, hidden from readers"
    assert found.coverage == "3 slides, 1 of them hidden, all of 6 words"


ODF = "urn:oasis:names:tc:opendocument:xmlns"
ODF_NAMES = " ".join(
    f'xmlns:{name}="{ODF}:{name}:1.0"' for name in ("office", "text", "table", "draw", "style", "presentation")
)


def odf(body: str, **members: bytes | str) -> bytes:
    content = f"<office:document-content {ODF_NAMES} xmlns:xlink='urn:xlink'>{body}</office:document-content>"
    return packed({"mimetype": f"{ODF}.text", "content.xml": content} | {k.replace("__", "/"): v for k, v in members.items()})


def test_an_opendocument_text_is_read_with_what_it_hides() -> None:
    data = odf(
        '<style:style style:name="T1"><style:text-properties text:display="none"/></style:style>'
        '<text:tracked-changes><text:p>gone</text:p></text:tracked-changes><text:p>a<text:s text:c="2"/>b'
        '<text:span text:style-name="T1">unseen</text:span>'
        "<office:annotation><text:p>remark</text:p></office:annotation></text:p>"
        "<table:table-row><table:table-cell><text:p>x</text:p></table:table-cell><table:table-cell><text:p>y</text:p>"
        '</table:table-cell></table:table-row><text:a xlink:href="https://x.example">link</text:a>',
        **{"Pictures__1.png": encoded(plain(), "PNG"), "Basic__Standard__M.xml": "<module/>"},
    )

    found = of(data)

    assert texts(found) == {
        "/text:0": "a  b\nx \ty",
        "/hidden:0": "unseen",
        "/deleted:0": "gone",
        "/comments:0": "remark",
        "/links:0": "https://x.example",
    }
    assert kinds(found) == {"active_content": ("tampering", 2), "hidden_text": ("tampering", 1)}
    assert [member.name for member in found.members] == ["1.png"]


def test_opendocument_slides_have_their_notes() -> None:
    page = "<draw:page><text:p>{}</text:p><presentation:notes><text:p>note {}</text:p></presentation:notes></draw:page>"

    found = of(odf(page.format("one", 1) + page.format("two", 2)))

    assert texts(found) == {
        "/slide:1/text:0": "one",
        "/slide:1/notes:0": "note 1",
        "/slide:2/text:0": "two",
        "/slide:2/notes:0": "note 2",
    }
    assert found.coverage == "2 slides, all of 6 words"


def test_a_long_document_is_cut_and_says_so() -> None:
    found = of(docx(f"<w:p>{run('hello world ' * 50)}</w:p>" * 1_000))

    assert sum(len(part.text) for part in found.parts) <= limits.DOCUMENT_CHARS
    assert max(len(part.text) for part in found.parts) <= limits.TEXT_PART_CHARS
    assert [gap.kind for gap in found.gaps] == ["partial"]
    assert found.coverage.startswith("the first ")


def test_parts_end_between_words_and_lose_none() -> None:
    passages = Passages()

    passages.add("/text", " ".join(f"word{at}" for at in range(10_000)))

    assert len(passages.parts) > 1
    assert " ".join(part.text.strip() for part in passages.parts).split() == [f"word{at}" for at in range(10_000)]
    assert all(re.fullmatch(r"(/[a-z-]+(:\d+)?)*", part.id) for part in passages.parts)


def encrypted() -> bytes:
    data = bytearray(docx("x"))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def twice_the_same_name() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", word(run("nice")))
        archive.writestr("Word/Document.xml", word(run("evil")))
    return buffer.getvalue()


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>' + word("&b;")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(packed({"word/document.xml": b" " * 70_000_000}), "refused-limits", id="a-bomb"),
        pytest.param(packed({f"m{at}.xml": "<a/>" for at in range(2_001)}), "refused-limits", id="too-many-members"),
        pytest.param(packed({f"m{at}": "" for at in range(9_000)}), "refused-limits", id="very-many-members"),
        pytest.param(packed({"word/document.xml": LAUGHS}), "refused-format", id="a-doctype"),
        pytest.param(packed({"word/document.xml": LAUGHS.encode("utf-16")}), "refused-format", id="a-doctype-in-utf-16"),
        pytest.param(encrypted(), "unreadable", id="encrypted"),
        pytest.param(odf("x", **{"META-INF__manifest.xml": "<m><encryption-data/></m>"}), "unreadable", id="encrypted-odt"),
        pytest.param(twice_the_same_name(), "unreadable", id="two-members-of-a-name"),
        pytest.param(packed({"a.txt": "x"}), "unreadable", id="no-document"),
        pytest.param(
            docx("<w:r/>" * 1_010_000, pad=os.urandom(300_000)), "refused-limits", id="more-elements-than-are-read"
        ),
    ],
)  # fmt: skip
def test_what_is_declined(data, status) -> None:
    with pytest.raises(NotRead) as declined:
        of(data)

    assert declined.value.status == status


@pytest.mark.parametrize("nested", ["<w:p>", "<w:r>", "<mc:Fallback>", "<w:moveFrom>"])
def test_depth_costs_nothing(nested) -> None:
    closing = nested.replace("<", "</")

    found = of(docx(nested * 30_000 + "<w:t>deep</w:t>" + closing * 30_000))

    assert "deep" in "".join(texts(found).values())


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_damaged_file_is_never_read_as_an_empty_one(share) -> None:
    data = docx(f"<w:p>{run('hello')}</w:p>", media=os.urandom(2_000))

    with pytest.raises((NotRead, zipfile.BadZipFile)):
        of(data[: int(len(data) * share)])


def test_a_broken_part_is_an_error() -> None:
    with pytest.raises(ElementTree.ParseError):
        of(packed({"word/document.xml": word(run("x"))[:-5]}))


def test_facts_say_nothing_of_the_content() -> None:
    fact = of(docx(run("secret", "<w:vanish/>"))).facts[0]

    assert isinstance(fact, Fact)
    assert "secret" not in fact.says


def naive_words(data: bytes) -> int:
    """Count the words of a DOCX by a plain walk over its trees, as an independent second reading."""
    package = open_package(data)
    pieces: list[str] = []

    def walk(element: ElementTree.Element) -> None:
        name = element.tag.rpartition("}")[2]
        if name == "Fallback":
            return
        pieces.append({"t": element.text or "", "tab": " ", "br": " ", "cr": " "}.get(name, ""))
        for child in element:
            walk(child)
        pieces.append("\n" if name == "p" else "")

    for name in package.named("document", "hdr", "ftr", "footnotes", "endnotes", "comments"):
        walk(ElementTree.fromstring(package.members[name]))
    return len("".join(pieces).split())


@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the sample documents are not beside the project")
def test_the_sample_documents_give_all_their_words() -> None:
    files = sorted(DOCUMENTS.glob("*/*.docx"))
    shown = re.compile(r"/(text|header|footnotes|comments|hidden):\d+")

    words = {
        file: sum(len(part.text.split()) for part in of(file.read_bytes()).parts if shown.fullmatch(part.id)) for file in files
    }

    assert words == {file: naive_words(file.read_bytes()) for file in files}
    assert sum(words.values()) == 3_836


@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the sample documents are not beside the project")
def test_the_sample_with_all_traps() -> None:
    found = of((DOCUMENTS / "made/textbox_tracked_hidden.docx").read_bytes())

    said = texts(found)
    assert "HIDDEN" in said["/hidden:0"]
    assert "DELETED" in said["/deleted:0"]
    assert said["/text:0"].count("TEXTBOX") == 1
    assert {"INSERTED", "LINKTEXT"} <= set(said["/text:0"].split())
    assert "HEADER" in said["/header:0"]
