"""What is made for wishes, as people follow, see, hear and press it in the console."""

import functools
import os
import uuid
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from bot.storage.sign_ins import CONSOLE
from handlers.answers import Answer
from handlers.effects import Edit, Enclosure, Post, TakeBack
from handlers.events import CommandUsed, FormSubmitted
from tests.console.browser.conftest import Desk, inaccessible_at_any_width
from tests.console.chat.serving import GENERAL
from tests.console.made import MAKING, NOT_MADE, QUEUE, SHOWN, USAGE, KeptFiles, a_file, a_made, an_item
from tests.media.films import film, pan, tone, voice
from tests.media.samples import encoded, scene

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
SHOTS = os.environ.get("FLASHBULB_SHOTS")  # a folder for pictures of what the test sees

# How long a player's file is, in seconds, once it knows; and where it stands after a jump.
PLAYS = """each => new Promise(done => {
    const look = () => each.readyState >= 1 && done(each.duration);
    each.addEventListener('loadedmetadata', look);
    look();
})"""
SEEKS = """each => new Promise(done => {
    each.addEventListener('seeked', () => done(each.currentTime));
    each.currentTime = 1;
})"""


@functools.cache
def made() -> dict[tuple[str, int], bytes]:
    """Return one file of each kind that is made, by its kind and number."""
    pictures = {("made_picture", at): encoded(scene(at, (768, 512)), "PNG") for at in (1, 2)}
    clip = film(pan(40), kind="webm", codec="libvpx", fps=20)
    chart = encoded(scene(9, (672, 300)), "PNG")
    sound = voice(tone(2), kind="wav", codec="pcm_s16le")
    return {**pictures, ("made_video", 1): clip, ("made_sound", 1): sound, ("usage_chart", 1): chart}


@pytest.fixture
def kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> KeptFiles:
    files = KeptFiles(made())
    monkeypatch.setattr(desk.site.connection, "_enclosures", files)
    return files


async def say(desk: Desk, answer: Answer, *files: Enclosure) -> str:
    post = Post(key=str(uuid.uuid4()), place=GENERAL, answer=answer, files=files)
    return (await desk.site.connection.act(post)).message or ""


async def become(desk: Desk, message: str, answer: Answer, *files: Enclosure) -> None:
    await desk.site.connection.act(Edit(key=str(uuid.uuid4()), place=GENERAL, message=message, answer=answer, files=files))


async def shoot(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"{name}.png")


async def test_what_is_made_is_followed_and_then_seen_and_heard(desk: Desk, kept: KeptFiles) -> None:
    page = await desk.newcomer("Ada", viewport={"width": 1280, "height": 1000})
    message = await say(desk, MAKING)
    placeholder = page.locator(f"#m-{message}")
    line = placeholder.locator("[aria-live=polite]")
    await expect(line).to_have_text("Making 4 pictures, 1 done")
    await line.evaluate("each => { each.marked = true; }")

    await become(desk, message, MAKING.model_copy(update={"done": 3, "estimate_s": 12}))
    await expect(line).to_have_text("Making 4 pictures, 3 done")
    await expect(placeholder.get_by_role("progressbar")).to_have_js_property("value", 3)
    assert await line.evaluate("each => each.marked")  # it changed where it stands, so that it alone is read out

    await become(desk, message, a_made(), a_file("made_picture", 1), a_file("made_picture", 2))
    for at in (1, 2):
        picture = placeholder.get_by_alt_text(f"A white lighthouse, number {at}")
        await expect(picture).to_have_js_property("naturalWidth", 768)
    await expect(placeholder.get_by_text("understudy: no model")).to_be_visible()
    await shoot(page, "pictures-1280")

    item = an_item(1, buttons=())
    await say(desk, a_made(1, media="video", items=(item,)), a_file("made_video", ending="webm"))
    await say(desk, a_made(1, media="music", items=(item,)), a_file("made_sound", ending="wav"))
    assert round(await page.locator("video").evaluate(PLAYS), 1) == 2.0
    assert round(await page.locator("video").evaluate(SEEKS), 1) == 1.0
    assert round(await page.locator("audio").evaluate(PLAYS), 1) == 2.0
    await shoot(page, "players-1280")

    await desk.site.connection.act(TakeBack(key="back", place=GENERAL, message=message))
    await expect(placeholder).to_have_count(0)


async def test_what_is_for_adults_is_uncovered_with_the_keyboard(desk: Desk, kept: KeptFiles) -> None:
    asked: list[str] = []
    message = await say(desk, a_made(1, spoiler=True, items=(an_item(1),)), a_file("made_picture"))
    found = await desk.site.messages.find(CONSOLE.workspace, message)
    assert found is not None
    page = await desk.newcomer("Ada", viewport={"width": 390, "height": 844})
    page.on("request", lambda request: asked.append(request.url))
    await expect(page.get_by_alt_text("Covered picture")).to_have_js_property("complete", True)
    await shoot(page, "covered-390")

    await page.get_by_role("button", name="Show it this, for adults").focus()
    await page.keyboard.press("Enter")

    await expect(page.get_by_alt_text("A white lighthouse, number 1")).to_have_js_property("naturalWidth", 768)
    assert [url for url in asked if "/media/" in url and "blurred" not in url] == [f"{desk.site.url}/media/{found.files[0].id}"]
    assert await page.evaluate("document.activeElement.getAttribute('href')") == f"/files/{found.files[0].id}"


async def test_everybody_can_read_and_press_all_of_it(desk: Desk, kept: KeptFiles) -> None:
    await say(desk, a_made(), a_file("made_picture", 1), a_file("made_picture", 2))
    await say(desk, a_made(1, media="voice", spoiler=True), a_file("made_sound", ending="wav"))
    for answer in (SHOWN, MAKING, NOT_MADE, QUEUE):
        await say(desk, answer)
    await say(desk, USAGE, Enclosure(kind="usage_chart", of="", name="usage.png", alt_text="0.48 USD in 7 days"))

    page = await desk.newcomer("Ada", viewport={"width": 1280, "height": 2400})
    await page.get_by_text("Prompt", exact=True).first.click()
    await expect(page.get_by_alt_text("0.48 USD in 7 days")).to_be_visible()
    await shoot(page, "all-1280")

    assert await inaccessible_at_any_width(page) == []
    await page.set_viewport_size({"width": 390, "height": 2400})
    await shoot(page, "all-390")


async def test_a_wish_is_asked_for_by_a_form_and_a_picture_is_remixed_from_its_menu(desk: Desk, kept: KeptFiles) -> None:
    page = await desk.newcomer("Ada")
    await page.get_by_label("Message #general").fill("/imagine")
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("What do you wish for?").fill("a fox in snow")
    await shoot(page, "form-1280")
    await dialog.get_by_label("Format").select_option("16:9")
    await dialog.locator("button[type=submit]").click()
    await expect(dialog).to_have_count(0)

    submitted = desk.site.engine.accepted[-1]
    assert isinstance(submitted, FormSubmitted)
    assert (submitted.form, submitted.values["wish"], submitted.values["aspect"]) == ("imagine", "a fox in snow", "16:9")

    picture = {"name": "fox.png", "mimeType": "image/png", "buffer": kept.files["made_picture", 1]}
    await page.locator("form.composer input[type=file]").set_input_files(picture)
    await page.keyboard.press("Enter")
    await page.locator(".message").last.hover()
    await page.locator("[data-menu]").last.click()
    await page.get_by_role("menuitem", name="Remix image").click()
    await dialog.wait_for()
    await page.keyboard.press("Escape")

    await page.locator("form.composer input[type=file]").set_input_files(picture)
    await page.get_by_label("Message #general").fill("/remix")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message").last).to_contain_text("used /remix")
    used = desk.site.engine.accepted[-1]
    assert isinstance(used, CommandUsed)
    assert (used.command, used.message, len(used.attachments)) == ("remix", desk.site.engine.accepted[-2].message, 1)
