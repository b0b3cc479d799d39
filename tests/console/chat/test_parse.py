"""What a browser sends becomes an event, or a sentence for its sender."""

from datetime import UTC, datetime

import pytest

from bot.console.chat import parse
from bot.console.chat.sending import events_of
from bot.storage.console_messages import StoredMessage
from handlers.answers import Answer, CaseCard, CaseFile, Digest, Held
from handlers.commands import COMMANDS
from handlers.events import CommandUsed, MessagePosted, Person, Place
from pipelines.content import Attachment
from pipelines.errors import UserError
from pipelines.limits import COMMAND_CHARS, MESSAGE_CHARS
from pipelines.moderation.policy import Action

ID = "1c9d3f52-7a3e-4f0e-9a60-0a4d6a0f7b11"
AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
ADA = Person(id="ada", name="Ada")
PLACE = Place(platform="console", workspace="w1", channel="general")
CAT = Attachment(id="f1", url="console:" + "a" * 64, name="cat.jpg", media_type="image/jpeg", size_bytes=3)


def stored(**values: object) -> StoredMessage:
    usual = {
        "seq": 1,
        "id": ID,
        "channel": "general",
        "thread": None,
        "author": ADA,
        "text": "",
        "command": None,
        "answer": None,
        "only_for": None,
        "state": "arriving",
        "edit_effect": None,
        "at": AT,
    }
    return StoredMessage(**usual | values)


@pytest.mark.parametrize(
    ("typed", "command", "text"),
    [
        pytest.param("hello", None, "hello", id="words"),
        pytest.param("  two\r\nlines  ", None, "two\nlines", id="space-around-and-line-ends"),
        pytest.param("/tag", "tag", "", id="a-command"),
        pytest.param("/moderate  you \n there ", "moderate", "you \n there", id="a-command-with-a-text-of-two-lines"),
        pytest.param("/usr/bin is a folder", None, "/usr/bin is a folder", id="a-path-is-no-command"),
        pytest.param("see /tag", None, "see /tag", id="a-command-only-at-the-start"),
    ],
)
def test_what_was_typed_is_a_message_or_a_command(typed: str, command: str | None, text: str) -> None:
    line = parse.line({"id": ID, "text": typed}, files=0)

    assert (line.command and line.command.name, line.text) == (command, text)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"id": ID, "text": " \n "}, "nothing to send", id="empty"),
        pytest.param({"id": "7", "text": "hi"}, "older version", id="an-id-that-no-browser-makes"),
        pytest.param({"text": "hi"}, "older version", id="no-id"),
        pytest.param({"id": ID, "text": "/frobnicate now"}, "no /frobnicate", id="an-unknown-command"),
        pytest.param({"id": ID, "text": "x" * (MESSAGE_CHARS + 1)}, "at most 12,000", id="too-long"),
        pytest.param({"id": ID, "text": "/moderate " + "x" * (COMMAND_CHARS + 1)}, "at most 4,000", id="argument-too-long"),
    ],
)
def test_what_cannot_be_sent_is_said_in_words(fields: dict[str, str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        parse.line(fields, files=0)


def test_a_file_needs_no_words() -> None:
    assert parse.line({"id": ID, "text": ""}, files=1).text == ""


@pytest.mark.parametrize(
    ("text", "mentioned"),
    [
        pytest.param("@flashbulb what is this?", True, id="at-the-start"),
        pytest.param("hey @Flashbulb!", True, id="any-case"),
        pytest.param("ada@flashbulb.org", False, id="an-address"),
        pytest.param("@flashbulbs", False, id="a-longer-name"),
    ],
)
def test_our_name_in_a_message_counts_as_a_mention(text: str, mentioned: bool) -> None:
    (event,) = events_of("w1", stored(text=text))

    assert isinstance(event, MessagePosted)
    assert event.mentions_us is mentioned


def test_a_message_is_one_event_with_its_files() -> None:
    (event,) = events_of("w1", stored(text="look", files=(CAT,), thread="root"))

    assert event == MessagePosted(
        key=f"console:w1:{ID}:posted",
        place=PLACE.model_copy(update={"thread": "root"}),
        author=ADA,
        message=ID,
        text="look",
        attachments=(CAT,),
        answers="root",
    )


def test_the_files_of_a_public_command_are_judged_as_every_posted_file_is() -> None:
    posted, used = events_of("w1", stored(command="tag", files=(CAT,)))

    assert isinstance(posted, MessagePosted)
    assert (posted.attachments, posted.text) == ((CAT,), "")
    assert isinstance(used, CommandUsed)
    assert (used.key, used.command, used.message, used.attachments) == (f"console:w1:{ID}", "tag", ID, (CAT,))


def test_a_private_command_is_no_message() -> None:
    (used,) = events_of("w1", stored(command="moderate", text="you there", only_for="ada", files=(CAT,)))

    assert isinstance(used, CommandUsed)
    assert (used.argument, used.message) == ("you there", None)


def test_a_command_in_a_thread_is_about_its_root() -> None:
    (used,) = events_of("w1", stored(command="tag", thread="root"))

    assert isinstance(used, CommandUsed)
    assert (used.message, used.place.thread) == ("root", "root")


@pytest.mark.parametrize(
    ("name", "files", "allowed"),
    [
        pytest.param("tag", (CAT,), True, id="tag-a-picture"),
        pytest.param("tag", (), False, id="nothing-to-tag"),
        pytest.param("report", (), True, id="report"),
        pytest.param("flashbulb", (CAT,), False, id="not-in-the-menu"),
    ],
)
def test_only_what_the_menu_offers_can_be_chosen(name: str, files: tuple[Attachment, ...], allowed: bool) -> None:
    about = stored(state="shown", files=files)

    if not allowed:
        with pytest.raises(UserError, match="menu has changed"):
            parse.shortcut_used(name, {"id": ID}, about=about, place=PLACE, author=ADA)
        return
    event = parse.shortcut_used(name, {"id": ID}, about=about, place=PLACE, author=ADA)

    assert (event.command, event.message, event.key) == (name, ID, f"console:w1:{ID}")


CARD = CaseCard(
    case="c7",
    author="Ada",
    channel="general",
    action=Action.HOLD,
    shadow=False,
    reasons=(),
    findings=(),
    judged=1,
    total=1,
    engine="none",
    state="open",
    pictured=True,
    measures=("timeout", "ban"),
)
HELD = Held(case="c7", action=Action.HOLD, reasons=(), appealable=True)
DIGEST = Digest(since=AT, until=AT, lines=(), buttons=(("enforce", "Hate", "hate:3"), ("enforce", "Spam", "scam_spam:3")))


@pytest.mark.parametrize(
    ("answer", "button", "asked", "value"),
    [
        *(pytest.param(CARD, each, "", "c7", id=f"card-{each}") for each in ("restore", "keep", "why")),
        *(pytest.param(CARD, each, "", "c7", id=f"card-{each}") for each in ("allow_exact", "deny_near", "timeout", "ban")),
        pytest.param(CARD, "wrong_category", "", None, id="card-nothing-was-found"),
        pytest.param(CARD, "overturn", "", None, id="card-nobody-appeals"),
        pytest.param(CARD, "restore", "c8", None, id="card-another-case"),
        pytest.param(CARD.model_copy(update={"state": "kept"}), "restore", "", None, id="card-decided"),
        pytest.param(CARD.model_copy(update={"state": "restored"}), "ban", "", None, id="card-of-what-was-fine"),
        pytest.param(HELD, "appeal", "", "c7", id="notice"),
        pytest.param(HELD.model_copy(update={"appealable": False}), "appeal", "", None, id="notice-that-stands"),
        pytest.param(HELD, "restore", "", None, id="notice-is-no-card"),
        pytest.param(DIGEST, "enforce", "scam_spam:3", "scam_spam:3", id="digest"),
        pytest.param(DIGEST, "enforce", "scam_spam:4", None, id="digest-of-another-version"),
        pytest.param(CaseFile(card=CARD, why=()), "restore", "", None, id="file-has-none"),
    ],
)
def test_a_button_brings_back_what_our_message_holds(answer: Answer, button: str, asked: str, value: str | None) -> None:
    assert parse.value_of(button, stored(author=None, answer=answer), asked=asked) == value


def test_a_form_brings_its_answers_back() -> None:
    fields = {"id": ID, "about": "m7", "value:reason": "rude", "thread": "", "other": "x"}

    event = parse.form_submitted("report", fields, place=PLACE, author=ADA)

    assert (event.form, event.about, event.values) == ("report", "m7", {"reason": "rude"})


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        pytest.param("Report!", {"id": ID}, id="a-name-that-no-form-has"),
        pytest.param("report", {"id": ID, "value:reason": "x" * 3001}, id="an-endless-answer"),
        pytest.param("report", {"id": ID} | {f"value:{n}": "" for n in range(21)}, id="too-many-answers"),
        pytest.param("report", {}, id="no-id"),
    ],
)
def test_a_form_that_cannot_be_ours_is_refused(form: str, fields: dict[str, str]) -> None:
    with pytest.raises(UserError):
        parse.form_submitted(form, fields, place=PLACE, author=ADA)


def test_every_command_can_be_the_line_of_a_message() -> None:
    for command in COMMANDS:
        (used,) = events_of("w1", stored(command=command.name, only_for="ada" if command.private else None))
        assert isinstance(used, CommandUsed)
        assert used.command == command.name
