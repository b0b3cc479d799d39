"""The files that go with our words, made when they are sent."""

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
from cryptography.fernet import Fernet
from openpyxl import load_workbook

from bot.enclosures import THUMBNAIL_SIDE_PX, ResultFiles
from bot.storage.database import open_records
from bot.storage.results import StoredResults
from bot.storage.seal import Seal
from handlers.answers import Tagged
from handlers.effects import Enclosure
from handlers.events import Tenant
from handlers.ports.channels import Posted
from handlers.ports.extraction import StoredExtraction
from handlers.ports.generation import DaySpent, MadeThing, StoredWish
from pipelines.content import Attachment, Content
from pipelines.errors import UserError
from pipelines.extraction.schema import shipped
from pipelines.extraction.values import Box, Confidence, Extraction, Value
from pipelines.generation.wish import Brief, Wish
from pipelines.ports import Mark
from tests.fakes import ADA, GENERAL, ListedChannels, ListedFiles, PlainMedia, a_picture

OURS, THEIRS = GENERAL.tenant, Tenant(platform="test", workspace="w2")


@dataclass
class Drawing(PlainMedia):
    """Remembers what was drawn."""

    drawn: list[tuple[str, int, tuple[Mark, ...]]] = field(default_factory=list)
    sides: list[int] = field(default_factory=list)

    async def marked_page(self, attachment: Attachment, *, page: int, marks: Sequence[Mark]) -> bytes:
        self.drawn.append((attachment.url, page, tuple(marks)))
        return b"png"

    async def preview(self, data: bytes, *, side_px: int, blurred: bool = False) -> bytes:
        self.sides.append(side_px)
        return b"small " + data


@dataclass
class KeptWishes:
    """One wish of ours, of which the second thing was made at the third attempt; its first file was dropped."""

    charted: list[tuple[str | None, int]] = field(default_factory=list)

    async def find(self, tenant: Tenant, id: str) -> StoredWish | None:
        things = (
            MadeThing(position=1, attempt=0, media_type="image/png", alt_text="A cat."),
            MadeThing(position=2, attempt=2, media_type="image/png", alt_text="A cat."),
        )
        wish = StoredWish(
            id="w1",
            event="e1",
            place=GENERAL,
            asked_by=ADA,
            wish=Wish(text="a cat"),
            brief=Brief(prompt="a cat"),
            model="flux",
            price_usd=None,
            state="made",
            made=things,
        )
        return wish if (tenant, id) == (OURS, "w1") else None

    async def file(self, tenant: Tenant, job: str) -> bytes | None:
        return b"png" if (tenant, job) == (OURS, "w1:2:2") else None

    async def days(self, tenant: Tenant, *, person: str | None, days: int) -> tuple[DaySpent, ...]:
        self.charted.append((person, days))
        return (DaySpent(day=date(2026, 11, 28), making_usd=Decimal("0.02"), asking_usd=Decimal(0)),)


@dataclass
class Desk:
    results: StoredResults
    wishes: KeptWishes = field(default_factory=KeptWishes)
    channels: ListedChannels = field(default_factory=lambda: ListedChannels(empty=True))
    files: ListedFiles = field(default_factory=ListedFiles)
    media: Drawing = field(default_factory=Drawing)

    async def opened(self, kind: str, of: str, *, page: int = 1, tenant: Tenant = OURS) -> bytes:
        files = ResultFiles(
            results=self.results,
            wishes=self.wishes,  # type: ignore[arg-type]
            channels=self.channels,
            files=self.files,
            media=self.media,
        )
        return await files.opened(tenant, Enclosure(kind=kind, of=of, page=page, name="x"))  # type: ignore[arg-type]

    def post(self, *attachments: Attachment) -> None:
        self.channels.posted.append(Posted(place=GENERAL, message="m1", author=ADA, content=Content(attachments=attachments)))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_records(tmp_path / "data", None) as records:
        yield Desk(results=StoredResults(records, Seal(Fernet.generate_key().decode())))


def a_file(name: str, url: str = "test:old") -> Attachment:
    return Attachment(id=name, url=url, name=name, media_type="application/pdf", size_bytes=3)


def a_value(text: str, *, page: int | None = 1, box: Box | None = (1, 2, 3, 4), confidence: Confidence = "high") -> Value:
    return Value(value=text, raw=text, page=page, box=box, source="text-layer", confidence=confidence)


async def keep(desk: Desk, *names: str) -> None:
    """Keep an extraction for each file, `x0`, `x1` …, as a batch."""
    fields = {
        "number": a_value("R-17"),
        "due": a_value("9", confidence="low"),
        "seller": a_value("ACME", page=2),
        "iban": a_value("DE1", box=None),
    }
    kept = [
        StoredExtraction(
            id=f"x{at}",
            batch="b1",
            place=GENERAL,
            message="m1",
            attachment=a_file(name),
            schema=shipped("invoice"),
            extraction=Extraction(schema_name="invoice", fields=fields),
        )
        for at, name in enumerate(names)
    ]
    await desk.results.save_extractions(event="e1", extractions=kept)


async def test_a_page_is_drawn_from_the_file_as_it_is_posted_now_with_its_own_frames(desk: Desk) -> None:
    await keep(desk, "a.pdf")
    desk.post(a_file("b.pdf"), a_file("a.pdf", "test:new"))

    assert await desk.opened("marked_page", "x0") == b"png"

    marks = (Mark(box=(1, 2, 3, 4)), Mark(box=(1, 2, 3, 4), doubtful=True))
    assert desk.media.drawn == [("test:new", 1, marks)]


async def test_exports_hold_an_extraction_or_a_whole_batch(desk: Desk) -> None:
    await keep(desk, "a.pdf", "b.pdf")

    one, both = json.loads(await desk.opened("json", "x1")), json.loads(await desk.opened("json", "b1"))
    table = (await desk.opened("csv", "b1")).decode("utf-8-sig")
    book = load_workbook(io.BytesIO(await desk.opened("xlsx", "b1")))

    assert (one["file"], one["fields"]["number"]["value"]) == ("b.pdf", "R-17")
    assert [each["file"] for each in both] == ["a.pdf", "b.pdf"]
    assert [line[0] for line in csv.reader(io.StringIO(table))] == ["file", "a.pdf", "b.pdf"]
    assert "Sources" in book.sheetnames


async def test_a_thumbnail_is_the_picture_small(desk: Desk) -> None:
    tagged = Tagged(
        file_name="cat.jpg",
        subjects=(),
        style="",
        mood="",
        quality=(),
        colours=(),
        text="",
        alt_text="A cat.",
        tags=("cat",),
        engine="test",
    )
    await desk.results.save_tags(GENERAL, event="e1", message="m1", tagged=[tagged], attachments=[a_picture()])
    [found] = await desk.results.find(OURS, "cat", limit=1)
    desk.post(a_picture())
    desk.files.files["test:cat.jpg"] = b"picture"

    assert await desk.opened("thumbnail", found.id) == b"small picture"
    assert desk.media.sides == [THUMBNAIL_SIDE_PX]
    desk.channels.posted.clear()
    with pytest.raises(UserError, match="gone from its channel"):
        await desk.opened("thumbnail", found.id)


@pytest.mark.parametrize("kind", ["marked_page", "json", "csv", "xlsx", "thumbnail"])
async def test_nothing_is_made_of_what_is_kept_no_longer_or_by_another_workspace(
    desk: Desk, kind: Literal["marked_page", "json"]
) -> None:
    await keep(desk, "a.pdf")
    desk.post(a_file("a.pdf"))

    for id, tenant in (("x9", OURS), ("x0", THEIRS)):
        with pytest.raises(UserError, match="kept no longer"):
            await desk.opened(kind, id, tenant=tenant)


async def test_no_page_is_drawn_of_a_message_that_was_taken_out(desk: Desk) -> None:
    await keep(desk, "a.pdf")

    with pytest.raises(UserError, match="gone from its channel"):
        await desk.opened("marked_page", "x0")
    assert desk.media.drawn == []


@pytest.mark.parametrize("kind", ["made_picture", "made_video", "made_sound"])
async def test_what_was_made_is_the_attempt_that_was_kept_and_no_one_elses(desk: Desk, kind: str) -> None:
    assert await desk.opened(kind, "w1", page=2) == b"png"

    for of, page, tenant in (("w1", 1, OURS), ("w1", 3, OURS), ("w2", 2, OURS), ("w1", 2, THEIRS)):
        with pytest.raises(UserError, match="kept no longer"):
            await desk.opened(kind, of, page=page, tenant=tenant)


async def test_what_was_spent_is_drawn_for_one_person_or_for_all(desk: Desk) -> None:
    assert (await desk.opened("usage_chart", "")).startswith(b"\x89PNG")
    await desk.opened("usage_chart", "ada")

    assert desk.wishes.charted == [(None, 30), ("ada", 30)]
