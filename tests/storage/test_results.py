"""Results in the records: what members asked for, for a while."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from bot.storage.database import Records
from bot.storage.results import KEPT_FOR, StoredResults
from bot.storage.retention import delete_expired
from bot.storage.seal import Seal
from bot.storage.tables import ResultRow, now
from handlers.answers import Tagged
from handlers.events import Place, Tenant
from handlers.ports.extraction import StoredExtraction
from pipelines.content import Attachment
from pipelines.errors import UserError
from pipelines.extraction.schema import shipped
from pipelines.extraction.values import Extraction, Value
from tests.fakes import GENERAL, a_picture

OURS, THEIRS = Tenant(platform="test", workspace="w1"), Tenant(platform="test", workspace="w2")


@pytest.fixture
def results(records: Records, seal: Seal) -> StoredResults:
    return StoredResults(records, seal)


def tagged(*tags: str) -> Tagged:
    return Tagged(
        file_name="cat.jpg",
        subjects=("cat",),
        style="photograph",
        mood="calm",
        quality=(("sharpness", "good"),),
        colours=("grey",),
        text="",
        alt_text="A cat.",
        tags=tags,
        engine="test",
    )


async def test_tags_are_kept_in_order_and_a_repeated_event_replaces_its_own(results: StoredResults) -> None:
    await results.save_tags(GENERAL, event="e1", message="m1", tagged=[tagged("cat"), tagged("dog"), tagged("bird")])
    await results.save_tags(GENERAL, event="e1", message="m1", tagged=[tagged("tiger"), tagged("dog")])

    assert await results.tags(OURS, "m1") == (tagged("tiger"), tagged("dog"))


async def test_two_tenants_with_the_same_event_and_message_do_not_meet(results: StoredResults) -> None:
    await results.save_tags(GENERAL, event="e1", message="m1", tagged=[tagged("ours")])
    await results.save_tags(GENERAL.model_copy(update={"workspace": "w2"}), event="e1", message="m1", tagged=[tagged("theirs")])

    assert await results.tags(OURS, "m1") == (tagged("ours"),)
    assert await results.tags(THEIRS, "m1") == (tagged("theirs"),)


async def test_they_are_deleted_when_their_time_is_over(results: StoredResults, records: Records) -> None:
    await results.save_tags(GENERAL, event="e1", message="m1", tagged=[tagged("cat")])

    await delete_expired(records, moment=now() + KEPT_FOR - timedelta(minutes=1))
    assert await results.tags(OURS, "m1")
    await delete_expired(records, moment=now() + KEPT_FOR + timedelta(minutes=1))

    assert not await results.tags(OURS, "m1")


async def test_nothing_of_them_can_be_read_in_the_rows(results: StoredResults, records: Records) -> None:
    await results.save_tags(GENERAL, event="e1", message="m1", tagged=[tagged("canary")])

    columns = sa.select(*ResultRow.__table__.columns)
    row = await records.read(lambda connection: connection.execute(columns).mappings().one())

    assert not any(word in str(dict(row)) for word in ("canary", "cat.jpg", "A cat.", "photograph"))


@pytest.mark.parametrize("other", [{"workspace": "w2"}, {"channel": "c2"}], ids=["workspace", "channel"])
async def test_what_must_not_stay_is_forgotten_in_its_own_place_alone(results: StoredResults, other: dict[str, str]) -> None:
    elsewhere = GENERAL.model_copy(update=other)
    for at, place in enumerate((GENERAL, elsewhere)):
        await results.save_tags(place, event=f"e{at}", message="m1", tagged=[tagged(f"cat {at}")])

    await results.forget(GENERAL.tenant, GENERAL.channel, "m1")

    assert tagged("cat 0") not in await results.tags(GENERAL.tenant, "m1")
    assert await results.tags(elsewhere.tenant, "m1") == (tagged("cat 1"),)


# --- Extractions --------------------------------------------------------------------------------------------------------------


def extracted(id: str, *, batch: str = "b1", place: Place = GENERAL, message: str = "m1", **values: str) -> StoredExtraction:
    fields = {name: Value(value=text, raw=text, source="text-layer") for name, text in values.items()}
    return StoredExtraction(
        id=id,
        batch=batch,
        place=place,
        message=message,
        attachment=Attachment(id=f"file-{id}", url=f"test:{id}", name="acme.pdf", media_type="application/pdf", size_bytes=3),
        schema=shipped("invoice"),
        extraction=Extraction(schema_name="invoice", fields=fields),
        asked_by="ada",
    )


def with_number(text: str) -> Callable[[StoredExtraction], StoredExtraction]:
    def change(stored: StoredExtraction) -> StoredExtraction:
        fields = {**stored.extraction.fields, "number": Value(value=text, raw=text, source="correction", way="person")}
        return replace(stored, extraction=stored.extraction.model_copy(update={"fields": fields}))

    return change


async def number(results: StoredResults, id: str) -> str | None:
    stored = await results.extraction(OURS, id)
    return stored.extraction.fields["number"].value if stored else None


async def test_an_extraction_is_found_by_its_id_and_with_its_batch(results: StoredResults) -> None:
    one, two = extracted("x1", number="17"), extracted("x2", number="18")
    await results.save_extractions(event="e1", extractions=[one, two])

    assert await results.extraction(OURS, "x1") == one
    assert await results.extractions(OURS, "b1") == (one, two)
    assert await results.extractions(OURS, "x2") == (two,)
    assert await results.extraction(THEIRS, "x1") is None
    assert await results.extractions(THEIRS, "b1") == ()


async def test_an_event_changes_an_extraction_once(results: StoredResults) -> None:
    await results.save_extractions(event="e1", extractions=[extracted("x1", number="17")])

    await results.change(OURS, "x1", with_number("18"), event="e2")
    await results.change(OURS, "x1", with_number("19"), event="e3")
    again = await results.change(OURS, "x1", with_number("18"), event="e2")

    assert again.extraction.fields["number"].value == "19"
    assert await number(results, "x1") == "19"


async def test_changes_at_the_same_time_are_all_kept(results: StoredResults) -> None:
    await results.save_extractions(event="e1", extractions=[extracted("x1", number="17")])

    def add(name: str) -> Callable[[StoredExtraction], StoredExtraction]:
        def change(stored: StoredExtraction) -> StoredExtraction:
            fields = {**stored.extraction.fields, name: Value(value=name, raw=name, source="correction", way="person")}
            return replace(stored, extraction=stored.extraction.model_copy(update={"fields": fields}))

        return change

    await asyncio.gather(*(results.change(OURS, "x1", add(f"f{at}"), event=f"c{at}") for at in range(20)))

    stored = await results.extraction(OURS, "x1")
    assert stored is not None
    assert len(stored.extraction.fields) == 21


async def test_what_is_kept_no_longer_cannot_be_changed(results: StoredResults) -> None:
    await results.save_extractions(event="e1", extractions=[extracted("x1", number="17")])

    for tenant, id in ((OURS, "x9"), (THEIRS, "x1")):
        with pytest.raises(UserError, match="kept no longer"):
            await results.change(tenant, id, with_number("18"), event="e2")

    assert await number(results, "x1") == "17"


async def test_nothing_of_an_extraction_can_be_read_in_the_rows_nor_in_the_index(
    results: StoredResults, records: Records
) -> None:
    await results.save_extractions(event="e1", extractions=[extracted("x1", number="canary", seller="Zebra")])

    def read(connection: sa.Connection) -> str:
        columns = sa.select(*ResultRow.__table__.columns)
        words = connection.execute(sa.text("SELECT * FROM result_words")).all()
        return f"{connection.execute(columns).all()} {words}".casefold()

    stored = await records.read(read)
    assert not any(word in stored for word in ("canary", "zebra", "acme", "invoice"))


class WatchedSeal(Seal):
    """Remembers on which threads it worked."""

    threads: set[threading.Thread]

    def close(self, value: Any) -> bytes:
        self.threads.add(threading.current_thread())
        return super().close(value)

    def open(self, sealed: bytes) -> bytes:
        self.threads.add(threading.current_thread())
        return super().open(sealed)


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda results: results.save_extractions(event="e2", extractions=[extracted("x2")]), id="save"),
        pytest.param(lambda results: results.extraction(OURS, "x1"), id="one"),
        pytest.param(lambda results: results.extractions(OURS, "b1"), id="a-batch"),
        pytest.param(lambda results: results.change(OURS, "x1", with_number("18"), event="e3"), id="change"),
        pytest.param(lambda results: results.find(OURS, "invoice", limit=5), id="find"),
        pytest.param(lambda results: results.attachment(OURS, "x1"), id="file"),
        pytest.param(
            lambda results: results.save_tags(
                GENERAL, event="e4", message="m1", tagged=[tagged("dog")], attachments=[a_picture("cat.jpg")]
            ),
            id="save-tags",
        ),
        pytest.param(lambda results: results.tags(OURS, "m1"), id="tags"),
    ],
)
async def test_sealing_and_opening_leave_everybody_else_alone(records: Records, use: Callable[[StoredResults], Any]) -> None:
    seal = WatchedSeal(Fernet.generate_key().decode())
    seal.threads = set()
    results = StoredResults(records, seal)
    await results.save_extractions(event="e1", extractions=[extracted("x1", number="17")])
    await results.save_tags(GENERAL, event="e1", message="m1", tagged=[tagged("cat")])
    seal.threads.clear()

    await use(results)

    assert seal.threads
    assert threading.current_thread() not in seal.threads


# --- Search -------------------------------------------------------------------------------------------------------------------


async def ids(results: StoredResults, words: str, tenant: Tenant = OURS) -> list[str]:
    return [each.file for each in await results.find(tenant, words, limit=10)]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("invoice", id="the-kind"),
        pytest.param("ACME", id="the-file-in-another-case"),
        pytest.param("café", id="with-its-accent"),
        pytest.param("cafe zurich", id="two-words-without-accents"),
        pytest.param("1234.50", id="an-amount"),
        pytest.param("cafes", id="a-plural"),
        pytest.param("東京", id="without-blanks"),
    ],
)
async def test_an_extraction_is_found_by_its_words(results: StoredResults, words: str) -> None:
    await results.save_extractions(
        event="e1", extractions=[extracted("x1", seller="Café Zürich", gross_total="1234.50", buyer="東京都")]
    )

    assert await ids(results, words) == ["file-x1"]


@pytest.mark.parametrize("words", ["caf", "cafe berlin", "", "  ", '"', "* OR NOT AND", "result_words: x", "' | ! & ( <->"])
async def test_what_does_not_hold_every_word_is_not_found_and_no_word_is_an_instruction(
    results: StoredResults, words: str
) -> None:
    await results.save_extractions(event="e1", extractions=[extracted("x1", seller="Café Zürich")])

    assert await ids(results, words) == []


async def test_pictures_are_found_by_tags_and_words_and_say_where_they_are(results: StoredResults) -> None:
    place = GENERAL.in_thread_of("m0")
    await results.save_tags(place, event="e1", message="m1", tagged=[tagged("sofa")], attachments=[a_picture("cat.jpg")])

    [found] = await results.find(OURS, "sofas", limit=10)

    assert (found.kind, found.place, found.message, found.file) == ("tagged", place, "m1", "cat.jpg")
    assert (found.title, found.says) == ("cat.jpg", "A cat.")
    assert await results.attachment(OURS, found.id) == (place, "m1", a_picture("cat.jpg"))
    assert await results.attachment(THEIRS, found.id) is None


async def test_what_says_little_else_comes_first_and_the_rest_follows(results: StoredResults) -> None:
    for at, sellers in enumerate(("zebra and lion and tiger and bear", "zebra", "lion")):
        await results.save_extractions(event=f"e{at}", extractions=[extracted(f"x{at}", batch=f"b{at}", seller=sellers)])

    first = await results.find(OURS, "zebra", limit=1)
    rest = await results.find(OURS, "zebra", limit=5, after=1)

    assert [each.id for each in (*first, *rest)] == ["x1", "x0"]


async def test_nobody_finds_what_is_in_another_workspace(results: StoredResults) -> None:
    elsewhere = GENERAL.model_copy(update={"workspace": "w2"})
    await results.save_extractions(event="e1", extractions=[extracted("x1", seller="zebra")])
    await results.save_extractions(event="e1", extractions=[extracted("x1", place=elsewhere, seller="lion")])

    assert await ids(results, "zebra", THEIRS) == []
    assert await ids(results, "zebra", OURS) == ["file-x1"]
    assert await ids(results, "lion", THEIRS) == ["file-x1"]


async def test_a_corrected_value_is_found_and_what_it_replaces_is_not(results: StoredResults) -> None:
    await results.save_extractions(event="e1", extractions=[extracted("x1", number="R17")])

    await results.change(OURS, "x1", with_number("R18"), event="e2")

    assert await ids(results, "R17") == []
    assert await ids(results, "R18") == ["file-x1"]


@pytest.mark.parametrize("way", ["forget", "expire", "repeat"])
async def test_what_is_deleted_leaves_nothing_in_the_index(results: StoredResults, records: Records, way: str) -> None:
    await results.save_extractions(event="e1", extractions=[extracted("x1", seller="zebra"), extracted("x2", seller="zebra")])

    match way:
        case "forget":
            await results.forget(OURS, GENERAL.channel, "m1")
        case "expire":
            await delete_expired(records, moment=now() + KEPT_FOR + timedelta(minutes=1))
        case _:
            await results.save_extractions(event="e1", extractions=[extracted("x1", seller="lion")])

    left = await records.read(lambda connection: connection.scalar(sa.text("SELECT count(*) FROM result_words")))
    assert left == (1 if way == "repeat" else 0)
    assert await ids(results, "zebra") == []
