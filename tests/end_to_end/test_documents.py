"""Documents end to end: a new member drops an invoice, reads what is in it, corrects that, takes it away and finds it again."""

import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from emulators.discord import DiscordEmulator
from tests.end_to_end.bot import Bot
from tests.end_to_end.darkroom import SECONDS, Darkroom, darkroom, pictures_of, walk, words_of
from tests.end_to_end.invoices import PAGE_SHARE, an_invoice, colours_in, in_office, sheet, size_of
from tests.end_to_end.slack_team import PATIENCE_S, Team, team_of
from tests.extraction.papers import a_pdf

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]

WRONG = "571,04 €"
FAILED = "Net 473.00 and tax 56.87 come to 529.87, but the total is 571.04."
DELIVERY = ("Lieferschein", "Number: D-2026-17", "Carrier: Nordpost", "Delivered: 05.03.2026", "Boxes: 12")
DELIVERY_FIELDS = "number*\ncarrier - Who brought it\ndelivered: date\nboxes: number"


@dataclass(frozen=True, slots=True)
class Town:
    """A running bot in an emulated server that is set up."""

    discord: DiscordEmulator
    room: Darkroom
    bot: Bot

    async def extracted(self, number: str, user: str, *, channel: str | None = None) -> tuple[str, Json]:
        """Post an invoice that does not add up and use the command; return the message and the answer in its thread."""
        where = channel or self.discord.general
        posted = await self.discord.post(where, user, files=[("invoice.pdf", an_invoice(number, total=WRONG))])
        await self.discord.command(where, user, "extract", values={"schema": "invoice"})
        return posted, await self.room.said(posted, f"**Invoice number:** {number}")

    async def corrects(self, answer: Json, user: str, label: str, value: str) -> list[str]:
        """Correct a value by the button below an answer; return what the form that it opens has to choose from."""
        await self.room.press(answer, user, "Correct a value")
        form = await self.discord.wait_for(lambda: self.discord.form(user), SECONDS)
        [menu] = [each["component"] for each in form["components"] if each["component"]["custom_id"] == "field"]
        offered = {each["label"]: each["value"] for each in menu["options"]}
        await self.discord.submit(user, form["custom_id"], {"field": [offered[label]], "value": value})
        return list(offered)

    async def taken(self, message: Json) -> bytes:
        """Download the file that a message of the bot carries."""
        [file] = [each["file"] for each in walk(message["components"]) if "file" in each]
        return await _fetched(file["url"])

    async def finds(self, user: str, words: str, says: str) -> str:
        """Ask where words are, and return what only `user` reads once it says that."""
        before = len(await self.room.all_whispered(user, says))
        await self.discord.command(self.discord.general, user, "flashbulb find", words)

        async def answered() -> list[Json]:
            return (await self.room.all_whispered(user, says))[before:]

        [answer] = await self.discord.wait_for(answered, SECONDS)
        return words_of(answer)


def _looks_marked(picture: bytes) -> bool:
    """Whether a picture can be a page of ours, large enough to read, with frames on it: the page itself is black on white."""
    width, height = size_of(picture)
    return width >= 600 and abs(height / width - PAGE_SHARE) < 0.01 and colours_in(picture) > 1_000


async def _fetched(url: str, **headers: str) -> bytes:
    async with aiohttp.ClientSession() as client, client.get(url, headers=headers) as answer:
        answer.raise_for_status()
        return await answer.read()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    data = tmp_path_factory.mktemp("documents") / "data"
    async with darkroom() as room, Bot(data, room.environment) as bot:
        await bot.start()
        await room.set_up(watched=(room.discord.general,))
        yield Town(room.discord, room, bot)
        await bot.stop()


async def test_an_invoice_is_answered_in_its_thread_with_table_marked_page_and_failed_check(town: Town) -> None:
    posted, answer = await town.extracted("471102", town.discord.ann)

    said = words_of(answer)
    assert "Please look at 3 doubtful values, 1 failed check" in said
    assert f"⚠ {FAILED}" in said
    assert "⚠ **Total:** 571.04 EUR (a check fails)" in said
    assert re.search(r"^Joghurt Banane +50 +Stück +5\.50 EUR +275\.00 EUR$", said, re.MULTILINE)
    [picture] = pictures_of(answer)
    assert "Doubtful: Net, Tax, Total." in picture["description"]
    page = await _fetched(picture["media"]["url"])
    assert _looks_marked(page)
    assert town.room.stands(town.discord.general, posted)


async def test_a_corrected_total_passes_its_check_and_only_who_asked_may_say_so(town: Town) -> None:
    room, ann, bob = town.room, town.discord.ann, town.discord.bob
    posted, answer = await town.extracted("471103", ann)

    offered = await town.corrects(answer, ann, "Total: 571.04 EUR", "529.87")
    corrected = await room.said(posted, "corrected by a person")
    await room.press(corrected, bob, "Confirm")
    await room.whispered(bob, "Only who asked for this, and moderators, can do that.")
    assert await room.all_said(posted, "Confirmed") == []
    await room.press(corrected, ann, "Confirm")
    confirmed = await room.said(posted, "Confirmed by ann")

    assert offered[:4] == ["Net: 473.00 EUR", "Tax: 56.87 EUR", "Total: 571.04 EUR", "Buyer: not found"]
    assert "**Total:** 529.87 EUR (corrected by a person)" in words_of(corrected)
    assert "failed check" not in words_of(corrected)
    assert "571.04" not in words_of(corrected)
    assert answer["id"] == corrected["id"] == confirmed["id"]
    assert [len(pictures_of(each)) for each in (answer, corrected, confirmed)] == [1, 1, 1]
    assert [each["label"] for each in walk(confirmed["components"]) if "label" in each] == [
        "Correct a value",
        "JSON",
        "CSV",
        "XLSX",
    ]


async def test_the_corrected_numbers_are_numbers_in_a_sheet_that_an_office_opens(town: Town, tmp_path: Path) -> None:
    room, ann = town.room, town.discord.ann
    posted, answer = await town.extracted("471104", ann)
    await town.corrects(answer, ann, "Total: 571.04 EUR", "529.87")

    await room.press(await room.said(posted, "corrected by a person"), town.discord.bob, "XLSX")
    workbook = await town.taken(await room.said(posted, "Here is what was taken out, as XLSX."))

    [invoice] = sheet(workbook, "Invoice")
    assert (invoice["Net"], invoice["Tax"], invoice["Total"]) == (473, 56.87, 529.87)
    assert (invoice["Invoice number"], invoice["Date"]) == ("471104", datetime(2026, 3, 5))
    assert [row["Amount"] for row in sheet(workbook, "Line items")] == [198, 275]
    if shutil.which("soffice"):
        [opened] = await in_office(workbook, tmp_path)
        assert [float(opened[each]) for each in ("Net", "Tax", "Total")] == [473, 56.87, 529.87]


async def test_it_is_found_again_by_whoever_can_read_it_until_its_message_is_deleted(town: Town) -> None:
    discord = town.discord
    posted, _ = await town.extracted("471105", discord.ann)

    found = await town.finds(discord.bob, "471105", "1 found for")
    await discord.delete(discord.general, posted)
    gone = await town.finds(discord.bob, "471105", "Nothing was found")

    assert f"[Invoice: invoice.pdf](https://discord.com/channels/{discord.guild}/{discord.general}/{posted})" in found
    assert "471105" not in gone


async def test_whoever_cannot_read_a_channel_finds_nothing_of_it(town: Town) -> None:
    discord = town.discord
    posted, _ = await town.extracted("471106", discord.mo, channel=discord.moderators)

    assert f"/{discord.moderators}/{posted})" in await town.finds(discord.mo, "471106", "1 found for")
    assert await town.finds(discord.bob, "471106", "Nothing was found")


async def test_the_menu_of_a_message_and_a_mention_do_the_same(town: Town) -> None:
    discord, room = town.discord, town.room
    shown = await discord.post(discord.general, discord.ann, files=[("menu.pdf", an_invoice("471107"))])
    await discord.shortcut(discord.general, discord.bob, shown, "Extract data")
    words = f"<@{discord.bot}> extract this, please"
    mentioned = await discord.post(discord.general, discord.ann, words, [("mention.pdf", an_invoice("471108"))])

    by_menu = await room.said(shown, "**Invoice number:** 471107")
    by_mention = await room.said(mentioned, "**Invoice number:** 471108")

    assert "### Invoice: menu.pdf" in words_of(by_menu)
    assert "### Invoice: mention.pdf" in words_of(by_mention)
    assert "failed check" not in words_of(by_menu) + words_of(by_mention)


async def test_a_schema_that_a_moderator_makes_is_used_by_its_name(town: Town) -> None:
    discord, room = town.discord, town.room
    await discord.command(discord.general, discord.mo, "extract", values={"schema": "new"})
    form = await discord.wait_for(lambda: discord.form(discord.mo), SECONDS)
    filled = {"name": "delivery_note", "title": "Delivery note", "says": "Goes with goods.", "fields": DELIVERY_FIELDS}
    await discord.submit(discord.mo, form["custom_id"], filled)
    await room.whispered(discord.mo, "Saved as version 1. Write /extract delivery_note to use it")

    posted = await discord.post(discord.general, discord.bob, files=[("note.pdf", a_pdf(DELIVERY))])
    await discord.command(discord.general, discord.bob, "extract", values={"schema": "delivery_note"})
    said = words_of(await room.said(posted, "### Delivery note: note.pdf"))

    for line in ("**Number:** D-2026-17", "**Carrier:** Nordpost", "**Delivered:** 2026-03-05", "**Boxes:** 12"):
        assert line in said


async def test_several_invoices_of_one_message_are_one_list_with_one_sheet(town: Town) -> None:
    discord = town.discord
    files = [
        (f"{number}.pdf", an_invoice(number, total=total))
        for number, total in (("471201", "529,87 €"), ("471202", WRONG), ("471203", "529,87 €"))
    ]

    posted = await discord.post(discord.general, discord.ann, files=files)
    await discord.command(discord.general, discord.ann, "extract", values={"schema": "invoice"})
    answer = await town.room.said(posted, "### Taken out of 3 documents")
    rows = sheet(await town.taken(answer), "Invoice")

    said = words_of(answer)
    assert [line.count("failed check") for line in said.splitlines() if line.startswith("- **Invoice")] == [0, 1, 0]
    assert [(row["File"], row["Total"]) for row in rows] == [
        ("471201.pdf", 529.87), ("471202.pdf", 571.04), ("471203.pdf", 529.87)
    ]  # fmt: skip


async def test_the_buttons_of_an_answer_outlive_a_restart(town: Town) -> None:
    room, ann = town.room, town.discord.ann
    posted, answer = await town.extracted("471109", ann)

    await town.bot.stop()
    await town.bot.start()
    await room.press(answer, ann, "Confirm")

    assert (await room.said(posted, "Confirmed by ann"))["id"] == answer["id"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def team(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Team]:
    async with team_of(tmp_path_factory.mktemp("documents")) as made:
        await made.set_up(made.slack.moderators)
        yield made


async def test_on_slack_an_invoice_is_read_corrected_taken_away_and_found_until_it_is_deleted(team: Team) -> None:
    slack = team.slack
    posted = await slack.post(slack.general, slack.ann, files=[("invoice.pdf", an_invoice("471301", total=WRONG))])
    await team.heard()

    await slack.command(slack.general, slack.ann, "extract", "invoice")
    answer = await team.answer(slack.general, posted, "Invoice: invoice.pdf")
    await _correct_the_total(team, answer)
    corrected = await team.answer(slack.general, posted, "corrected by a person")
    await slack.press(slack.general, answer["ts"], slack.bob, "extraction_confirm")
    await team.told(slack.bob, "Only who asked for this, and moderators, can do that.")
    await slack.press(slack.general, answer["ts"], slack.bob, "extraction_xlsx")
    [sent] = await team.until(lambda: team.said(slack.general, thread=posted), "as XLSX")
    await slack.press(slack.general, answer["ts"], slack.ann, "extraction_confirm")
    confirmed = await team.answer(slack.general, posted, "Confirmed by ann")
    await slack.command(slack.general, slack.bob, "flashbulb", "find 471301")
    found = await team.told(slack.bob, "1 found for")
    await slack.delete(slack.general, posted)
    await slack.command(slack.general, slack.bob, "flashbulb", "find 471301")
    await team.told(slack.bob, "Nothing was found")

    assert f"⚠ {FAILED}" in answer["text"]
    assert "⚠ Total: 571.04 EUR (a check fails)" in answer["text"]
    assert re.search(r"^Joghurt Banane +50 +Stück +5\.50 EUR +275\.00 EUR$", answer["text"], re.MULTILINE)
    [page] = [data for call in slack.calls for name, data in call.files if name == "invoice.page1.png"]
    assert _looks_marked(page)
    assert "Total: 529.87 EUR (corrected by a person)" in corrected["text"]
    assert "571.04" not in corrected["text"]
    for each in (answer, corrected, confirmed):
        assert [block["type"] for block in each["blocks"]].count("image") == 1
    [file] = sent["files"]
    workbook = await _fetched(file["url_private_download"], Authorization=f"Bearer {slack.bot_token}")
    [invoice] = sheet(workbook, "Invoice")
    assert (invoice["Net"], invoice["Tax"], invoice["Total"]) == (473, 56.87, 529.87)
    assert f"/archives/{slack.general}/p{posted.replace('.', '')}|Invoice: invoice.pdf>" in found["text"]


async def _correct_the_total(team: Team, answer: Json) -> None:
    slack = team.slack
    await slack.press(slack.general, answer["ts"], slack.ann, "extraction_correct")
    form = await slack.wait_for(lambda: slack.form(slack.ann), PATIENCE_S)
    [menu] = [each["element"] for each in form["blocks"] if each["block_id"] == "field"]
    offered = {each["text"]["text"]: each["value"] for each in menu["options"]}
    await slack.submit(slack.ann, form["id"], {"field": offered["Total: 571.04 EUR"], "value": "529.87"})
