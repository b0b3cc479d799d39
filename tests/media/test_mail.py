"""Mails: headers, bodies, what is attached."""

import time
from email.message import EmailMessage

import pytest

from pipelines import limits
from pipelines.media.documents.mail import read
from pipelines.media.read import Asked, NotRead, Read
from tests.conftest import SHARED_DATA
from tests.media.samples import encoded, plain

DOCUMENTS = SHARED_DATA / "documents"


def a_mail(body: str = "Hello Bob") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Alice <alice@x.example>", "bob@x.example", "Grüße"
    mail.set_content(body)
    return mail


def of(mail: EmailMessage | bytes) -> Read:
    return read(mail if isinstance(mail, bytes) else mail.as_bytes(), Asked())


def texts(found: Read) -> dict[str, str]:
    return {part.id: part.text for part in found.parts}


def test_headers_and_body_are_read() -> None:
    found = of(a_mail())

    assert texts(found) == {
        "/headers:0": "Subject: Grüße\nFrom: Alice <alice@x.example>\nTo: bob@x.example",
        "/text:0": "Hello Bob",
    }
    assert found.coverage == "all of 9 words"


def test_both_bodies_are_read_for_they_may_differ() -> None:
    mail = a_mail("plain words")
    mail.add_alternative('<p>other words</p><p hidden>unseen</p><img src="https://x.example/dot.gif">', subtype="html")

    found = of(mail)

    assert [text for id, text in texts(found).items() if id.startswith("/text")] == ["plain words", "other words"]
    assert texts(found)["/hidden:0"] == "unseen"
    assert [fact.kind for fact in found.facts] == ["external_reference"]


def test_attachments_and_mails_within_the_mail_are_members() -> None:
    picture = encoded(plain(), "PNG")
    mail = a_mail()
    mail.add_attachment(picture, maintype="image", subtype="png", filename="cat.png")
    mail.add_attachment("a,b\n", subtype="csv", filename="table.csv")
    mail.add_attachment("notes", filename="notes.txt")
    mail.add_attachment(a_mail("inner"))

    found = of(mail)

    assert [member.name for member in found.members] == ["cat.png", "table.csv", "notes.txt", ""]
    assert found.members[0].data == picture
    assert b"inner" in found.members[3].data
    assert texts(read(found.members[3].data, Asked()))["/text:0"] == "inner"
    assert texts(found)["/text:0"] == "Hello Bob"


def test_pictures_within_an_html_body_are_members() -> None:
    mail = a_mail()
    mail.add_alternative('<img src="data:,inside">', subtype="html")
    mail.get_payload()[1].add_related(b"related", "image", "png", cid="<a>")

    assert [member.data for member in of(mail).members] == [b"inside", b"related"]


@pytest.mark.parametrize(
    ("charset", "body", "expected"),
    [
        pytest.param("koi8-r", "Привет".encode("koi8-r"), "Привет", id="declared"),
        pytest.param("no-such-charset", "naïve".encode(), "naïve", id="unknown"),
        pytest.param("us-ascii", "naïve".encode(), "naïve", id="wrong"),
        pytest.param("iso-2022-jp", "日本語".encode("iso2022_jp"), "日本語", id="escaped"),
    ],
)
def test_bodies_are_read_in_whatever_encoding(charset, body, expected) -> None:
    found = of(b"From: a@x.example\nContent-Type: text/plain; charset=" + charset.encode() + b"\n\n" + body)

    assert texts(found)["/text:0"] == expected


def test_a_body_that_is_no_text_is_a_member() -> None:
    found = of(b"From: a@x.example\nContent-Type: text/plain\n\n" + bytes(range(1, 9)) * 300)

    assert [part.id for part in found.parts] == ["/headers:0"]
    assert len(found.members) == 1


def test_a_multipart_without_parts_is_shown_as_text() -> None:
    found = of(b'From: a@x.example\nContent-Type: multipart/mixed; boundary="B"\n\nno boundary here\n')

    assert texts(found)["/text:0"] == "no boundary here"


def test_a_long_subject_is_cut_and_said_to_be() -> None:
    found = of(b"From: a@x.example\nSubject: " + b"word " * 100_000 + b"\n\nbody")

    assert [gap.kind for gap in found.gaps] == ["partial"]


START = b"From: a@x.example\nMIME-Version: 1.0\n"
MIXED = START + b'Content-Type: multipart/mixed; boundary="B"\n\n'


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(MIXED + b"--B\n\nx\n" * 200_000, id="many-parts"),
        pytest.param(START + b"\n" + b"\n" * limits.FILE_BYTES, id="empty-lines"),
        pytest.param(START + b"\n" + b"a" * limits.FILE_BYTES, id="one-line"),
    ],
)
def test_large_mails_are_cut_in_time(data) -> None:
    started_s = time.process_time()

    found = of(data)

    assert time.process_time() - started_s < 4
    assert [gap.kind for gap in found.gaps] == ["partial"]


def test_more_headers_than_mails_have_are_declined() -> None:
    with pytest.raises(NotRead) as declined:
        of(START + b"To: a@x.example\n" * 5_000 + b"\nbody")

    assert declined.value.status == "refused-limits"


@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the sample documents are not beside the project")
def test_the_sample_mails() -> None:
    simple, attached = (of((DOCUMENTS / f"docling/eml_{name}.eml").read_bytes()) for name in ("simple", "with_attachment"))

    assert "Hello Bob" in texts(simple)["/text:0"]
    assert [member.name for member in attached.members] == ["test.txt"]
