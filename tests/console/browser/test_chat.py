"""The chat as people use it: with a mouse, with keys alone, on a phone, and with somebody else at the other end."""

import asyncio
import itertools
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Page, WebSocketRoute, expect

from bot.storage.sign_ins import SignedIn
from bot.words import plain
from handlers.answers import Alert, CaseCard, FindingSaid, Held, Invitation, Judged, Listing, Notice
from handlers.commands import COMMANDS
from handlers.effects import AnyEffect, Card, Edit, Notify, Post, Remove, Restore
from handlers.events import AnyEvent, ButtonPressed, CommandUsed, FormSubmitted, MessagePosted, Role
from pipelines.moderation.policy import Action
from pipelines.moderation.report import Category
from tests.console.browser.conftest import Desk, inaccessible, inaccessible_at_any_width
from tests.console.chat.serving import GENERAL
from tests.console.chat.test_render import TAGGED, XSS

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

SPAM = "FLASHBULB-TEST-SCAM_SPAM-S3-C80"
FOUND = FindingSaid(category=Category.SCAM_SPAM, severity=3, confidence=0.8, evidence=SPAM, place="text:0")
INVITED = Invitation(name="Bob", role="member", url="http://127.0.0.1:8321/enter#code", minutes=10)
JUDGED = Judged(
    verdict="allow", action=Action.ALLOW, reasons=(), findings=(), judged=1, total=1, policy="ab12cd34", engine="gemini-x"
)

LISTED = Listing(title="Policy 3, by Olga", body="\n".join(f"line {n}: {'long ' * (n * 3)}" for n in range(60)))
ALERT = Alert(
    title="No model answers",
    text="Since 5 minutes nothing can be judged.\nChoose what happens to new messages until then.",
    value="outage-1",
    buttons=(("away_hold", "Hold them all"), ("away_flag", "Flag them all")),
    channels=("general",),
)


def a_card(event: MessagePosted) -> CaseCard:
    return CaseCard(
        case=event.message,
        author=event.author.name,
        channel=event.place.channel,
        message=event.message,
        picture=True,
        urgent=True,
        strikes=2,
        timeout_minutes=60,
        action=Action.HOLD,
        shadow=False,
        reasons=("It looks like a scam or spam.",),
        findings=(FOUND,),
        judged=1,
        total=1,
        engine="understudy",
        state="open",
    )


class Handlers:
    """What the real handlers would do, without a model: spam is held, pictures are tagged, cases decided."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.cards: dict[str, CaseCard] = {}

    async def __call__(self, event: AnyEvent) -> list[AnyEffect]:
        match event:
            case MessagePosted():
                return self.judge(event) if SPAM in event.text else []
            case CommandUsed(command="tag"):
                found = await self.desk.site.connection.latest_with_files(event.place)
                about = event.message or (found.message if found else "")
                return [Post(key=f"{event.key}#tags", place=event.place.in_thread_of(about), answer=TAGGED)]
            case CommandUsed(command="flashbulb"):
                return [Notify(key=f"{event.key}#said", place=event.place, person=event.author.id, answer=LISTED)]
            case CommandUsed(command="moderate"):
                return [Notify(key=f"{event.key}#judged", place=event.place, person=event.author.id, answer=JUDGED)]
            case ButtonPressed(button="away_hold" | "away_flag"):
                chosen = Notice(text=f"{event.author.name} chose {event.button}.")
                return [Edit(key=f"{event.key}#chosen", place=event.place, message=event.message, answer=chosen)]
            case ButtonPressed():
                return self.decide(event)
            case FormSubmitted(form="invite"):
                return [Notify(key=f"{event.key}#link", place=event.place, person=event.author.id, answer=INVITED)]
            case FormSubmitted():
                thanks = Notice(text="Thank you. The moderators see your report.")
                return [Notify(key=f"{event.key}#thanks", place=event.place, person=event.author.id, answer=thanks)]
        return []

    def judge(self, event: MessagePosted) -> list[AnyEffect]:
        self.cards[event.message] = a_card(event)
        held = Held(case=event.message, action=Action.HOLD, reasons=("It looks like a scam or spam.",), text=event.text)
        place = event.place.in_thread_of(event.message)
        return [
            Remove(key=f"{event.key}#remove", place=event.place, message=event.message, keep=True),
            Notify(key=f"{event.key}#held", place=place, person=event.author.id, answer=held),
            Card(key=f"{event.key}#card", place=event.place, answer=self.cards[event.message]),
        ]

    def decide(self, event: ButtonPressed) -> list[AnyEffect]:
        state = "restored" if event.button == "restore" else "kept"
        decided = self.cards[event.value].model_copy(update={"state": state, "decided_by": event.author.name})
        edit = Edit(key=f"{event.key}#card", place=event.place, message=event.message, answer=decided)
        back = Restore(key=f"{event.key}#restore", place=GENERAL, message=event.value)
        return [back, edit] if state == "restored" else [edit]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "cat.jpg"
    Image.effect_noise((640, 480), 40).convert("RGB").save(path)
    return path


def photo_bytes(photo: Path) -> bytes:
    return photo.read_bytes()


async def write(page: Page, text: str, *, thread: bool = False) -> None:
    field = page.locator("#thread-text" if thread else "#channel-text")
    await field.fill(text)
    await field.press("Enter")
    await expect(field).to_have_value("")


async def is_drawn(page: Page, selector: str) -> None:
    """Wait until a picture is not only there but drawn."""
    await expect(page.locator(selector)).to_have_js_property("complete", True)
    await page.wait_for_function(f"() => document.querySelector('{selector}').naturalWidth > 0")


async def test_a_photo_is_posted_tagged_and_answered_in_its_thread(desk: Desk, photo: Path) -> None:
    desk.site.engine.script = Handlers(desk)
    ada, bob = await desk.newcomer("Ada"), await desk.newcomer("Bob")
    await expect(ada.get_by_text("Nothing here yet.")).to_be_visible()

    await ada.set_input_files(".stream input[type=file]", photo)
    await expect(ada.locator(".attached")).to_contain_text("cat.jpg")
    await write(ada, "my cat")
    for page in (ada, bob):
        await expect(page.locator("#messages .text")).to_have_text("my cat")
        await is_drawn(page, "#messages .picture img")
    await expect(ada.locator(".attached")).to_have_count(0)
    await write(ada, "/tag")

    for page in (ada, bob):
        await expect(page.get_by_text("used /tag")).to_be_visible()
        await page.get_by_role("link", name="1 reply").click()
        await expect(page.locator("#thread .card")).to_contain_text("A grey cat on a sofa.")
        await expect(page.locator("#thread .card")).to_contain_text("understudy: no model")
        await expect(page).to_have_url(re.compile("/channels/general/threads/"))
    await write(bob, "nice cat", thread=True)
    await expect(ada.locator("#thread .text")).to_have_text(["my cat", "nice cat"])
    await expect(ada.get_by_role("link", name="2 replies")).to_be_visible()


async def test_a_real_photo_can_be_dropped_and_a_copied_one_pasted(desk: Desk, shared_images: Path) -> None:
    photo = shared_images / "photos" / "desk_1512x2016.webp"
    page = await desk.newcomer("Ada")
    data = await page.evaluate_handle(
        """async bytes => { const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], 'desk.webp', {type: 'image/webp'})); return transfer; }""",
        list(photo.read_bytes()),
    )

    await page.dispatch_event("#log", "dragenter", {"dataTransfer": data})
    await expect(page.locator(".stream")).to_have_class(re.compile("dropping"))
    await page.dispatch_event("#log", "drop", {"dataTransfer": data})
    await expect(page.locator(".attached")).to_have_count(1)
    await page.evaluate(
        """data => document.getElementById('channel-text').dispatchEvent(
            new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}))""",
        data,
    )
    await expect(page.locator(".attached")).to_have_count(2)
    await page.get_by_role("button", name="Remove desk.webp").first.click()
    await page.get_by_role("button", name="Send").click()

    await is_drawn(page, "#messages .picture img")
    await expect(page.locator("#messages .picture")).to_have_count(1)
    await expect(page.locator(".stream")).not_to_have_class(re.compile("dropping"))


async def test_what_is_held_is_decided_by_a_moderator_while_both_look_on(desk: Desk) -> None:
    desk.site.engine.script = Handlers(desk)
    ada, mo = await desk.newcomer("Ada"), await desk.newcomer("Mo", Role.MODERATOR)

    await ada.get_by_role("button", name=SPAM).click()
    await ada.keyboard.press("Enter")
    for page in (ada, mo):
        await expect(page.locator("#messages")).to_contain_text("Taken out of the channel for review")
        await expect(page.locator("#messages")).not_to_contain_text(SPAM)
    await expect(mo.get_by_role("link", name="moderators 1 unread")).to_be_visible()
    await expect(ada.locator(".side a")).to_have_count(1)
    await ada.get_by_role("link", name="See why: 1 reply").click()
    await expect(ada.locator("#thread")).to_contain_text("Only you can see this")
    await expect(ada.locator("#thread .composer")).to_be_hidden()
    await expect(mo.get_by_role("link", name="1 reply")).to_have_count(0)

    await mo.get_by_role("link", name="See #moderators").click()
    await expect(mo.locator(".card")).to_contain_text("Scam or spam: severe")
    await mo.get_by_role("button", name="Restore").press("Enter")
    await expect(mo.locator(".card")).to_contain_text("Restored by Mo")
    await expect(mo.locator(".card button")).to_have_text(["Why? the message of Ada"])
    await expect(mo.locator(".message:focus-within")).to_have_count(1)
    await expect(ada.locator("#messages .text")).to_have_text(SPAM)
    await expect(ada.locator("#thread .composer")).to_be_visible()


async def test_a_held_picture_is_shown_blurred_until_somebody_decided(desk: Desk, photo: Path) -> None:
    desk.site.engine.script = Handlers(desk)
    ada, mo = await desk.newcomer("Ada"), await desk.newcomer("Mo", Role.MODERATOR, path="/channels/moderators")

    await ada.set_input_files(".stream input[type=file]", photo)
    await write(ada, SPAM)
    picture = mo.get_by_role("img", name="Blurred picture of the message that was taken out")
    await expect(picture).to_have_js_property("complete", True)
    await mo.wait_for_function("() => document.querySelector('.held-picture img').naturalWidth > 0")
    # Grey noise in, next to nothing of it out: what arrives in the browser has no detail.
    contrast = await picture.evaluate(
        """img => { const canvas = new OffscreenCanvas(img.naturalWidth, img.naturalHeight), ink = canvas.getContext('2d');
            ink.drawImage(img, 0, 0);
            const {data} = ink.getImageData(0, 0, canvas.width, canvas.height); let most = 0;
            for (let at = 4; at < data.length; at += 4) most = Math.max(most, Math.abs(data[at] - data[at - 4]));
            return most; }"""
    )
    assert contrast < 30
    await expect(mo.locator(".card .notes li").first).to_contain_text("Urgent")
    await mo.get_by_role("button", name="Keep removed").click()

    await expect(mo.locator(".card")).to_contain_text("Kept removed by Mo")
    await expect(picture).to_have_count(0)
    await expect(ada.get_by_role("link", name="See why: 1 reply")).to_be_visible()


async def test_an_alert_asks_for_a_choice_and_a_listing_scrolls_with_the_keys(desk: Desk) -> None:
    desk.site.engine.script = Handlers(desk)
    olga = await desk.newcomer("Olga", Role.OPERATOR, path="/channels/moderators")
    await desk.site.connection.act(Card(key="a1", place=GENERAL, answer=ALERT))

    await olga.get_by_role("group", name="No model answers").get_by_role("button", name="Hold them all").click()
    await expect(olga.locator("#messages")).to_contain_text("Olga chose away_hold.")
    await write(olga, "/flashbulb policy show")
    listing = olga.locator(".listing")
    await listing.focus()
    await olga.keyboard.press("End")

    await olga.wait_for_function("() => { const at = document.querySelector('.listing'); return at.scrollTop > 0; }")
    assert await listing.evaluate("each => each.scrollWidth > each.clientWidth")


async def test_a_command_is_chosen_with_the_keys_alone(desk: Desk) -> None:
    desk.site.engine.script = Handlers(desk)
    page = await desk.newcomer("Mo", Role.MODERATOR)
    field, options = page.locator("#channel-text"), page.locator("#channel-commands [role=option]:visible")

    await field.press_sequentially("/")
    await expect(options).to_have_count(len(COMMANDS))
    await expect(field).to_have_attribute("aria-activedescendant", "channel-command-tag")
    await page.keyboard.press("ArrowDown")
    await expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    await expect(field).to_have_attribute("aria-activedescendant", f"channel-command-{COMMANDS[1].name}")
    await page.keyboard.press("Escape")
    await expect(options).to_have_count(0)
    await field.fill("")
    await field.press_sequentially("/mo")
    await expect(options).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(field).to_have_value("/moderate ")
    await field.press_sequentially("you there")
    await page.keyboard.press("Enter")

    await expect(page.locator(".card")).to_contain_text("Nothing to object to")
    await expect(page.locator("#messages")).to_contain_text("used /moderate")
    await expect(page.locator("#messages .private").first).to_contain_text("you there")


async def test_a_form_opens_sends_itself_and_gives_the_focus_back(desk: Desk) -> None:
    desk.site.engine.script = Handlers(desk)
    page = await desk.newcomer("Olga", Role.OPERATOR)

    await page.locator("#channel-text").fill("/flashbulb invite")
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Invite to the console")
    await expect(dialog.get_by_label("Name")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(page.locator("#channel-text")).to_be_focused()
    await write(page, "/flashbulb invite")
    await dialog.get_by_label("Name").fill("Bob")
    await dialog.get_by_label("Decide cases as well").check()
    await page.keyboard.press("Enter")

    await expect(page.get_by_label("Link for Bob")).to_have_value(INVITED.url)
    await expect(dialog).to_have_count(0)
    (event,) = desk.site.engine.accepted
    assert isinstance(event, FormSubmitted)
    assert event.values == {"name": "Bob", "role": "moderator"}


async def test_a_form_that_could_not_be_sent_stays_open_with_what_was_written(desk: Desk) -> None:
    desk.expected.append("503")
    page = await desk.newcomer("Olga", Role.OPERATOR)
    await write(page, "/flashbulb invite")
    dialog = page.get_by_role("dialog")
    desk.site.engine.down = True

    await dialog.get_by_label("Name").fill("Bob")
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("alert")).to_contain_text("The engine does not answer")
    desk.site.engine.down = False
    await dialog.get_by_role("button", name="Make a link").click()

    await expect(dialog).to_have_count(0)
    assert len(desk.site.engine.accepted) == 1


async def test_a_message_is_reported_from_its_menu_with_the_keys_alone(desk: Desk) -> None:
    desk.site.engine.script = Handlers(desk)
    ada, bob = await desk.newcomer("Ada"), await desk.newcomer("Bob")
    await write(ada, "something rude")
    more = bob.get_by_role("button", name="More for the message of Ada")

    await more.focus()
    await bob.keyboard.press("Enter")
    await expect(more).to_have_attribute("aria-expanded", "true")
    await expect(bob.get_by_role("menuitem", name="Reply in a thread")).to_be_focused()
    await bob.keyboard.press("Escape")
    await expect(more).to_be_focused()
    await bob.keyboard.press("Enter")
    await bob.keyboard.press("ArrowUp")
    await expect(bob.get_by_role("menuitem", name="Report to moderators")).to_be_focused()
    await bob.keyboard.press("Enter")
    dialog = bob.get_by_role("dialog", name="Report to moderators")
    await expect(more).to_have_attribute("aria-expanded", "false")
    await dialog.get_by_label("What is wrong with it?").fill("rude")
    await dialog.get_by_role("button", name="Report").click()

    await expect(bob.locator("#messages")).to_contain_text("Thank you. The moderators see your report.")
    await expect(more).to_be_focused()
    await expect(ada.locator("#messages")).not_to_contain_text("Thank you.")


async def test_a_second_press_closes_the_menu(desk: Desk) -> None:
    page = await desk.newcomer("Ada")
    await write(page, "hello")
    await page.locator(".message").hover()
    more = page.get_by_role("button", name="More for the message of Ada")

    await more.click()
    await expect(page.get_by_role("menu")).to_be_visible()
    await more.click()
    await expect(page.get_by_role("menu")).to_be_hidden()
    await more.click()

    await expect(page.get_by_role("menu")).to_be_visible()


async def test_what_people_write_stays_text(desk: Desk, photo: Path) -> None:
    page = await desk.newcomer(XSS)
    file = {"name": '"><img src=x onerror=alert(1)>.jpg', "mimeType": "image/jpeg", "buffer": photo_bytes(photo)}

    await page.set_input_files(".stream input[type=file]", file)
    await write(page, XSS)
    shown = plain(XSS)
    await expect(page.locator("#messages .text")).to_have_text(shown)
    answer = Notice(text=XSS)
    await desk.site.connection.act(Post(key="p1", place=GENERAL, answer=answer))

    await expect(page.locator("#messages .text")).to_have_text([shown, shown])
    assert await page.evaluate("() => document.querySelectorAll('[onerror], #messages script').length") == 0


async def test_a_file_that_is_no_picture_is_shown_as_a_file(desk: Desk, tmp_path: Path) -> None:
    desk.expected.append("415")
    page = await desk.newcomer("Ada")
    lie = tmp_path / "lie.png"
    lie.write_text("<script>alert(1)</script>")

    await page.set_input_files(".stream input[type=file]", lie)
    await page.get_by_role("button", name="Send").click()

    await expect(page.locator("#messages .file")).to_be_visible()
    await expect(page.locator("#messages .file")).to_contain_text("lie.png 25 bytes")
    await expect(page.locator("#messages .picture")).to_be_hidden()


async def test_a_draft_that_was_not_accepted_stays_and_is_sent_once(desk: Desk) -> None:
    desk.expected.append("503")
    page = await desk.newcomer("Ada")
    desk.site.engine.down = True

    await page.locator("#channel-text").fill("hello")
    await page.keyboard.press("Enter")
    await expect(page.locator(".stream .composer [role=alert]")).to_contain_text("The engine does not answer")
    await expect(page.locator("#channel-text")).to_have_value("hello")
    desk.site.engine.down = False
    await page.keyboard.press("Enter")

    await expect(page.locator("#messages .text")).to_have_text("hello")
    await expect(page.locator("#channel-text")).to_have_value("")
    await page.reload()
    await expect(page.locator("#messages .text")).to_have_text("hello")


async def test_an_upload_can_be_cancelled_and_too_many_or_empty_files_are_refused_at_once(desk: Desk, tmp_path: Path) -> None:
    page = await desk.newcomer("Ada")
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(2_000_000))
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 50_000}
    network = await page.context.new_cdp_session(page)
    await network.send("Network.enable")
    await network.send("Network.emulateNetworkConditions", slow)

    await page.set_input_files(".stream input[type=file]", large)
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("progressbar", name="Upload")).to_be_visible()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator(".stream [role=alert]")).to_have_text("Cancelled.")
    await expect(page.locator(".attached")).to_have_count(1)
    await page.set_input_files(".stream input[type=file]", [large] * 10)
    await expect(page.locator(".stream [role=alert]")).to_have_text("Send at most 10 files at once.")
    await page.set_input_files(".stream input[type=file]", [{"name": "none.png", "mimeType": "image/png", "buffer": b""}])

    await expect(page.locator(".stream [role=alert]")).to_have_text("none.png is empty. Choose another file.")
    await expect(page.locator(".attached")).to_have_count(1)
    assert desk.site.engine.accepted == []


async def test_enter_sends_shift_enter_breaks_and_composing_does_neither(desk: Desk) -> None:
    page = await desk.newcomer("Ada")
    field = page.locator("#channel-text")
    lines = await field.evaluate("field => field.clientHeight")

    await field.press_sequentially("one")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two")
    grown = await field.evaluate("field => field.clientHeight")
    await field.evaluate(
        "field => field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true}))"
    )
    await expect(field).to_have_value("one\ntwo")
    await field.fill("\n".join("line" for _ in range(30)))
    full = await field.evaluate("field => field.clientHeight")
    await page.keyboard.press("Enter")

    await expect(page.locator("#messages .text")).to_have_count(1)
    assert lines < grown < full <= lines + 8 * 23


async def test_a_page_that_lost_its_line_says_so_and_catches_up(desk: Desk) -> None:
    page = await desk.newcomer("Ada")
    lines: asyncio.Queue[WebSocketRoute] = asyncio.Queue()
    let_through = asyncio.Event()
    let_through.set()

    async def carry(line: WebSocketRoute) -> None:
        if let_through.is_set():
            line.connect_to_server()
            lines.put_nowait(line)
        else:
            await line.close()

    await page.route_web_socket(re.compile("/live"), carry)
    await page.reload()
    await expect(page.locator("#empty")).to_be_visible()
    await page.locator("#channel-text").fill("a draft")
    let_through.clear()
    await (await lines.get()).close()
    await expect(page.locator("#line")).to_have_text("Reconnecting…")
    await desk.site.connection.act(Post(key="p1", place=GENERAL, answer=Notice(text="said meanwhile")))
    let_through.set()
    await page.evaluate("() => dispatchEvent(new Event('online'))")

    await expect(page.locator("#messages")).to_contain_text("said meanwhile")
    await expect(page.locator("#line")).to_be_hidden()
    await expect(page.locator("#channel-text")).to_have_value("a draft")


async def test_a_page_that_is_left_while_its_line_is_being_laid_complains_of_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await desk.newcomer("Ada")
    find, asked, let_through = desk.site.sign_ins.find, itertools.count(), asyncio.Event()

    async def slow(hash: str, *, renew: bool = False) -> tuple[SignedIn | None, bool]:
        if next(asked) == 1:  # 0 is the page, 1 its line
            await let_through.wait()
        return await find(hash, renew=renew)

    monkeypatch.setattr(desk.site.sign_ins, "find", slow)
    async with page.expect_event("websocket") as laying:
        await page.goto(f"{desk.site.url}/channels/general")
    line = await laying.value
    await page.evaluate("() => dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    async with line.expect_event("close"):
        let_through.set()
    await desk.site.connection.act(Post(key="p1", place=GENERAL, answer=Notice(text="said meanwhile")))
    await page.evaluate("() => dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")

    await expect(page.locator("#messages")).to_contain_text("said meanwhile")


async def test_a_thread_has_an_address_and_the_back_button_closes_it(desk: Desk) -> None:
    page = await desk.newcomer("Ada")
    await write(page, "root")
    await page.locator(".message").hover()
    await page.get_by_role("link", name="Reply in a thread to Ada").click()
    await expect(page.locator("#thread-text")).to_be_focused()
    await write(page, "reply", thread=True)
    await expect(page.locator("#thread .text")).to_have_text(["root", "reply"])

    await page.go_back()
    await expect(page.locator("#thread")).to_have_count(0)
    await page.go_forward()
    await expect(page.locator("#thread .text")).to_have_text(["root", "reply"])
    await page.reload()
    await expect(page.locator("#thread .text")).to_have_text(["root", "reply"])
    await page.locator("#thread-text").press("Escape")

    await expect(page.locator("#thread")).to_have_count(0)
    await expect(page.get_by_role("link", name="1 reply")).to_be_focused()


async def test_on_a_phone_a_thread_takes_the_whole_width(desk: Desk) -> None:
    page = await desk.newcomer("Ada", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    await write(page, "root")

    await page.get_by_role("button", name="More for the message of Ada").tap()
    await page.get_by_role("menuitem", name="Reply in a thread").tap()

    await expect(page.locator("#thread")).to_be_visible()
    await expect(page.locator("#messages")).to_be_hidden()
    await page.get_by_role("link", name="Close the thread").tap()
    await expect(page.locator("#messages")).to_be_visible()


async def test_the_keys_are_listed_and_the_single_one_can_be_switched_off(desk: Desk) -> None:
    page = await desk.newcomer("Ada")
    keys = page.get_by_role("dialog", name="Keys")

    await page.locator("#channel-text").press_sequentially("what?")
    await expect(keys).to_be_hidden()
    await page.locator("#log").press("?")
    await expect(keys).to_be_visible()
    await keys.get_by_label("Use the ? key").uncheck()
    await page.keyboard.press("Escape")
    await page.locator("#log").press("?")
    await expect(keys).to_be_hidden()
    await page.get_by_role("button", name="Keys").click()

    await expect(keys).to_be_visible()


async def test_without_javascript_one_can_read(desk: Desk) -> None:
    ada = await desk.newcomer("Ada")
    await write(ada, "hello")

    page = await desk.newcomer("Bob", java_script_enabled=False)

    await expect(page.locator("#messages .text")).to_have_text("hello")
    await expect(page.locator("noscript")).to_be_visible()


async def test_every_view_is_accessible_at_every_width(desk: Desk, photo: Path) -> None:
    desk.site.engine.script = Handlers(desk)
    olga = await desk.newcomer("Olga", Role.OPERATOR)
    found = {"empty": await inaccessible(olga)}
    await olga.set_input_files(".stream input[type=file]", photo)
    await write(olga, "my cat, see https://example.org/cat")
    for text in ("/tag", "/moderate you", "/flashbulb help", SPAM):
        await write(olga, text)
    await olga.set_input_files(".stream input[type=file]", photo)
    await write(olga, f"{SPAM} again")
    await desk.site.connection.act(Card(key="a1", place=GENERAL, answer=ALERT))
    await olga.get_by_role("link", name="1 reply").first.click()
    await write(olga, "a reply", thread=True)
    await expect(olga.locator("#thread .text")).to_have_count(2)
    thread = olga.url
    await write(olga, "/flashbulb invite")
    await olga.get_by_label("Name").fill("Bob")
    await olga.keyboard.press("Enter")
    await expect(olga.locator(".copy")).to_be_visible()

    for view in (thread, f"{desk.site.url}/channels/moderators", f"{desk.site.url}/channels/general"):
        await olga.goto(view)
        await expect(olga.locator(".day").first).to_be_attached()
        found[view] = await inaccessible_at_any_width(olga)
    for width, height in ((1280, 800), (320, 640)):  # what opens above the page has no layout of its own between them
        await olga.set_viewport_size({"width": width, "height": height})
        await olga.locator("#channel-text").fill("/")
        found[f"commands at {width}"] = await inaccessible(olga)
        await olga.locator("#channel-text").fill("")
        await olga.locator("[data-menu]").first.press("Enter")
        found[f"menu at {width}"] = await inaccessible(olga)
        await olga.get_by_role("menuitem", name="Report to moderators").press("Enter")
        await expect(olga.get_by_role("dialog")).to_be_visible()
        found[f"form at {width}"] = await inaccessible(olga)
        await olga.keyboard.press("Escape")
        await expect(olga.get_by_role("dialog")).to_have_count(0)

    assert {view: problems for view, problems in found.items() if problems} == {}
