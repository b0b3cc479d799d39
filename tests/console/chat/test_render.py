"""Messages, answers and forms as HTML: what a person reads, and what stays text."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser

import pytest

from bot.console.chat import render
from bot.console.chat.render import Renderer
from bot.console.pages import Pages
from bot.words import LINE_MAX, PICTURE_TEXT_MAX, held_words
from handlers.answers import (
    Alert,
    Answer,
    CaseCard,
    CaseFile,
    CaseLine,
    CaseList,
    CaseStep,
    Digest,
    DigestLine,
    FindingSaid,
    Held,
    Help,
    Invitation,
    Judged,
    Listing,
    Notice,
    SetUp,
    Tagged,
    UsageLine,
)
from handlers.commands import COMMANDS
from handlers.events import Person, Role
from handlers.forms import Form, FormField
from pipelines.content import Attachment
from pipelines.moderation.policy import Action
from pipelines.moderation.report import Category
from tests.console.chat.test_parse import ADA, CAT, stored
from tests.console.made import MAKING, NOT_MADE, QUEUE, SHOWN, USAGE, a_made, an_item

MO = Person(id="mo", name="Mo", role=Role.MODERATOR)
XSS = '<img src=x onerror=alert(1)>"><script>alert(2)</script>\u202e'
RENDERER = Renderer(Pages())
OPERATING = next(each for each in COMMANDS if each.name == "flashbulb").usage_for(Role.OPERATOR)

TAGGED = Tagged(
    file_name="cat.jpg",
    subjects=("cat", "sofa"),
    style="photograph",
    mood="calm",
    quality=(("sharpness", "very_good"),),
    colours=("grey",),
    text="EXIT",
    alt_text="A grey cat on a sofa.",
    tags=("cat", "pet"),
    engine="understudy",
)
FOUND = FindingSaid(
    category=Category.SCAM_SPAM,
    finding_kind="fake_shop",
    severity=3,
    confidence=0.8,
    evidence="buy now",
    place="file:0/frame:17",
)
CARD = CaseCard(
    case="c7",
    author="Ada",
    channel="general",
    action=Action.HOLD,
    shadow=False,
    reasons=("It looks like spam.",),
    findings=(FOUND,),
    judged=2,
    total=3,
    engine="gemini-x",
    state="open",
)
JUDGED = Judged(
    verdict="unknown",
    action=Action.HOLD,
    reasons=("A part was not judged.",),
    findings=(),
    judged=1,
    total=2,
    policy="ab12",
    engine="none",
)
AT = datetime(2024, 1, 2, 3, 4, tzinfo=UTC)
LINE = CaseLine(
    case="c7",
    title="Removed",
    author="Ada",
    channel="general",
    message="m1",
    at=AT,
    category=Category.SCAM_SPAM,
    state="kept",
    urgent=True,
    appealed=True,
)
CASES = CaseList(title="Cases that wait", items=(LINE,), waiting=3, more=1)
DIGEST = Digest(
    since=AT,
    until=AT + timedelta(days=7),
    lines=(
        DigestLine(
            category=Category.SCAM_SPAM,
            flagged=1,
            held=2,
            removed=3,
            right=9,
            wrong=2,
            by_hand=4,
            precision=9 / 11,
            low=0.52,
            high=0.95,
        ),
        DigestLine(category=Category.HATE, held=1200),
    ),
    missed=2,
    notes=("Twenty more are needed.",),
    buttons=(("enforce", "Enforce scam or spam", "scam_spam:3"), ("enforce", "Enforce hate", "hate:3")),
)
# What is said about cases, wherever words of members, moderators or models stand in it.
HOSTILE_CARD = CARD.model_copy(
    update=dict.fromkeys(("author", "channel", "message", "case", "engine", "decided_by", "undone"), XSS)
    | dict.fromkeys(("appeal_text", "appeal_decided_by"), XSS)
    | {"reasons": (XSS,), "appeal": "open", "right_category": f"own:{XSS}", "gone": True, "measures": ("timeout", "ban")}
    | {"findings": (FOUND.model_copy(update={"evidence": XSS, "place": XSS, "finding_kind": XSS}),)}
)
REVIEWS = (
    HOSTILE_CARD,
    HOSTILE_CARD.model_copy(update={"appeal": "", "appeal_text": ""}),
    CaseFile(
        card=HOSTILE_CARD, why=(XSS,), said=XSS, files=(XSS,), steps=(CaseStep(at=AT, text=XSS),), url="javascript:alert(1)"
    ),
    CaseList(
        title=XSS,
        items=(LINE.model_copy(update=dict.fromkeys(("case", "title", "author", "channel", "message"), XSS)),),
        waiting=1,
        more=1,
        url="javascript:alert(1)",
    ),
    DIGEST.model_copy(
        update={
            "lines": (DigestLine(category=f"own:{XSS}"),),
            "notes": (XSS,),
            "buttons": ((XSS, XSS, XSS),),
        }
    ),
    Held(
        case=XSS, action=Action.REMOVE, reasons=(XSS,), channel=XSS, text=XSS, language=XSS, appealable=True, timeout_minutes=5
    ),
    Invitation(name=XSS, role="admin", desk=True, url="javascript:alert(1)", minutes=1),
)
# What is said about wishes, wherever words of members or models stand in it.
WISHES = (
    SHOWN.model_copy(update=dict.fromkeys(("wish", "prompt", "avoid", "cost_usd", "why"), XSS) | {"options": ((XSS, XSS),)}),
    MAKING.model_copy(update={"wish": XSS, "prompt": XSS + XSS}),
    a_made(
        **dict.fromkeys(("wish", "model", "engine", "cost_usd"), XSS),
        prompt=XSS + XSS,
        notes=(XSS,),
        items=(
            an_item(1, **dict.fromkeys(("alt_text", "caption", "prompt", "seed", "missing"), XSS), buttons=((XSS, XSS, XSS),)),
        ),
        buttons=((XSS, XSS, XSS),),
    ),
    NOT_MADE.model_copy(update={"wish": XSS, "text": XSS}),
    QUEUE.model_copy(update={"items": (QUEUE.items[1].model_copy(update={"wish": XSS, "id": XSS}),)}),
    USAGE.model_copy(
        update={"whose": XSS, "lines": (UsageLine(title=XSS, count=1, cost_usd=XSS),), "total_usd": XSS, "left": (XSS,)}
    ),
)


class Reader(HTMLParser):
    """Lists the tags as a browser would see them, each with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def words(html: str) -> str:
    """Return what of `html` is text, on one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def said(answer: Answer, viewer: Person = MO) -> str:
    return RENDERER.message(stored(author=None, answer=answer, state="shown"), viewer=viewer)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(Notice(text="It is gone already."), ["It is gone already."], id="notice"),
        pytest.param(
            TAGGED,
            ["cat.jpg", "understudy: no model", "cat pet", "sharpness very good", "A grey cat on a sofa.", "EXIT"],
            id="tagged",
        ),
        pytest.param(
            CARD,
            [
                "Held:",
                "Scam or spam (fake shop): severe",
                "80% certain, in file 1, frame 17",
                "buy now",
                "2 of 3 parts judged",
            ],
            id="case-card",
        ),
        pytest.param(JUDGED, ["Could not be judged in full; would be held", "1 of 2 parts judged", "policy ab12"], id="judged"),
        pytest.param(
            Held(case="c7", action=Action.HOLD, reasons=("It looks like spam.",)),
            ["was taken out until a moderator has looked at it", "It looks like spam.", "Case c7"],
            id="held",
        ),
        pytest.param(
            Held(case="c7", action=Action.REMOVE, reasons=("It looks like spam.",), appealable=True, appeal_days=3),
            ["within 3 days", "Appeal"],
            id="held-and-open-to-an-appeal",
        ),
        pytest.param(
            CaseFile(
                card=CARD,
                why=("Scam or spam was found for sure.",),
                said="buy\nnow",
                files=("shop.png",),
                steps=(CaseStep(at=AT, text="Mo kept it removed."),),
            ),
            [
                "Held: a message of Ada in #general",
                "Waits for a decision",
                "Scam or spam was found for sure.",
                "The message says: buy now",
                "shop.png",
                "2 Jan, 03:04 UTC Mo kept it removed.",
                "2 of 3 parts judged Case c7",
            ],
            id="case-file",
        ),
        pytest.param(
            CASES,
            [
                "Cases that wait 3 wait",
                "Removed: a message of Ada in #general",
                "urgent, scam or spam, appealed, kept, 2024-01-02 03:04 UTC · Case c7",
                "…and 1 more.",
            ],
            id="case-list",
        ),
        pytest.param(
            CaseList(title="Cases of hate", items=(), waiting=0),
            ["Cases of hate none waits There is no such case."],
            id="case-list-without-cases",
        ),
        pytest.param(
            DIGEST,
            [
                "What shadow mode has shown from 2 Jan to 9 Jan",
                "Scam or spam 1 2 3 9 of 11 (82%, likely 52% to 95%) 4",
                "Hate 0 1,200 0 nobody has looked 0",
                "2 messages that moderators took out by hand were missed.",
                "Twenty more are needed.",
                "Enforce scam or spam",
            ],
            id="digest",
        ),
        pytest.param(
            Digest(since=AT, until=AT, lines=()), ["Nothing would have been done."], id="digest-in-which-nothing-happened"
        ),
        pytest.param(
            Invitation(name="Mo", role="admin", desk=True, url="http://127.0.0.1:1/enter#x", minutes=10),
            ["Your link to the review desk admin", "Whoever opens it is you: keep it to yourself."],
            id="invitation-to-the-desk",
        ),
        pytest.param(
            Held(case="c7", action=Action.HOLD, reasons=("secret",), support=True),
            ["You have done nothing wrong", "helpline"],
            id="held-with-care",
        ),
        pytest.param(
            Held(case="c7", action=Action.FLAG, reasons=("It looks like spam.",), stands=True, channel="general"),
            ["Please delete your message in #general : it goes against the rules there.", "It looks like spam."],
            id="held-where-nothing-can-be-taken-out",
        ),
        pytest.param(
            CARD.model_copy(update={"action": Action.FLAG, "called_for": Action.REMOVE}),
            ["Flagged:", "The policy calls for more: removed."],
            id="case-card-of-a-platform-that-cannot-do-it",
        ),
        pytest.param(
            CARD.model_copy(update={"urgent": True, "strikes": 2, "timeout_minutes": 60, "over_quota": True}),
            [
                "Urgent: a model refuses to look at this.",
                "It was only flagged",
                "Its author cannot write for 1 hour.",
                "2 earlier messages of this author were removed lately.",
            ],
            id="case-card-with-notes",
        ),
        pytest.param(
            Held(case="c7", action=Action.TIMEOUT, reasons=("It looks like spam.",), text="buy\nnow", timeout_minutes=90),
            ["You cannot write here for 90 minutes.", "This is what you wrote: buy now"],
            id="held-with-the-text-given-back",
        ),
        pytest.param(
            Listing(title="The policy", body="version: 1\n  mode: shadow", file_name="policy.yaml"),
            ["The policy policy.yaml version: 1 mode: shadow"],
            id="listing",
        ),
        pytest.param(
            Alert(title="No model answers", text="Choose.", value="v", buttons=(("hold", "Hold all"),), channels=("general",)),
            ["No model answers Choose. In #general Hold all about: No model answers"],
            id="alert",
        ),
        pytest.param(
            SetUp(watched=(), log_channel=None, mode="shadow", policy="number 3, by Olga"),
            ["Policy number 3, by Olga"],
            id="set-up-with-its-policy",
        ),
        pytest.param(
            SetUp(watched=("general", "random"), log_channel="cases", mode="shadow"),
            ["Watched #general , #random", "Cases #cases", "Mode shadow, cases are shown"],
            id="set-up",
        ),
        pytest.param(
            SetUp(watched=(), log_channel=None, mode="enforce"),
            ["Watched every channel", "Cases #moderators", "Mode enforce, actions are carried out"],
            id="set-up-of-the-console",
        ),
        pytest.param(TAGGED.model_copy(update={"tags": ()}), ["understudy: no model None. Shows"], id="tagged-with-nothing"),
        pytest.param(Help(commands=(("/tag", "Tag a picture"),)), ["/tag", "Tag a picture"], id="help"),
        pytest.param(
            Invitation(name="Bob", role="moderator", url="http://127.0.0.1:1/enter#x", minutes=10),
            ["A link for Bob", "moderator", "within 10 minutes"],
            id="invitation",
        ),
    ],
)
def test_an_answer_says_what_it_holds(answer: Answer, expected: list[str]) -> None:
    text = words(said(answer))

    for each in expected:
        assert each in text


def test_a_notice_leads_to_the_channel_that_it_speaks_of() -> None:
    html = said(Notice(text="It could not be taken out.", channel="general"))

    assert "It could not be taken out. In #general" in words(html)
    assert 'href="/channels/general"' in html


def test_a_card_leads_to_its_message_and_says_what_was_called_for_only_where_less_was_done() -> None:
    html = said(CARD.model_copy(update={"message": "m7"}))

    assert 'href="/channels/general#m-m7"' in html
    assert "calls for more" not in html


@pytest.mark.parametrize(
    ("action", "gone"), [pytest.param(Action.HOLD, True, id="taken-out"), pytest.param(Action.FLAG, False, id="it-stands")]
)
def test_words_of_care_say_that_a_message_is_not_shown_only_where_that_is_so(action: Action, gone: bool) -> None:
    text = words(said(Held(case="c7", action=action, reasons=(), support=True, channel="general")))

    assert ("Your message in #general is not shown for now" in text) is gone
    assert "You have done nothing wrong" in text


def test_a_case_says_right_below_its_title_where_it_stands() -> None:
    card = CARD.model_copy(update={"state": "kept", "decided_by": "Mo"})

    assert "in #general by gemini-x Kept removed by Mo It looks like spam." in words(said(card))


def test_what_is_too_long_is_cut_and_counted() -> None:
    long = "x" * 5_000
    found = FOUND.model_copy(update={"evidence": long})
    tagged = TAGGED.model_copy(update={"text": long, "alt_text": long, "file_name": long})

    html = said(CARD.model_copy(update={"author": long, "reasons": (long,) * 40, "findings": (found,) * 40}))

    assert max(map(len, words(html).split())) <= LINE_MAX
    assert words(html).count("…and 30 more") == 2
    assert max(map(len, words(said(tagged)).split())) <= PICTURE_TEXT_MAX


def test_the_text_in_a_picture_keeps_its_lines() -> None:
    html = said(TAGGED.model_copy(update={"text": "BOAT HIRE\n4 € per hour"}))

    assert '<dd class="lines" dir="auto">BOAT HIRE\n4 € per hour</dd>' in html


@pytest.mark.parametrize(
    ("viewer", "usage"),
    [
        pytest.param(ADA, "help | find WORDS | queue | usage", id="member"),
        pytest.param(Person(id="o", name="Olga", role=Role.OPERATOR), OPERATING, id="operator"),
    ],
)
def test_a_composer_offers_what_its_user_may_do(viewer: Person, usage: str) -> None:
    html = RENDERER.thread(stored(text="hi", state="shown"), [], viewer=viewer)

    assert f"/flashbulb {usage} What you can ask here" in words(html)


def test_a_wish_says_what_it_will_not_show_and_a_thing_which_prompt_it_was_made_from() -> None:
    shown, second = words(said(SHOWN)), an_item(2, prompt="A lighthouse, simply")

    assert "Shape 16:9 Without people, text" in shown
    assert "Without" not in words(said(SHOWN.model_copy(update={"avoid": ""})))
    assert words(said(a_made(items=(an_item(1), second)))).count("Prompt") == 2
    assert "Prompt A lighthouse, simply" in words(said(a_made(items=(an_item(1), second))))


def test_words_of_care_name_no_reason() -> None:
    assert "secret" not in said(Held(case="c7", action=Action.HOLD, reasons=("secret",), support=True))


PICTURES = {"pictured": True, "measures": ("timeout", "ban")}
ABOUT_PICTURES = ["wrong_category", "allow_exact", "deny_near", "timeout", "ban"]


@pytest.mark.parametrize(
    ("card", "ending", "first", "more"),
    [
        pytest.param({}, "Waits for a decision", ["restore", "keep", "why"], ["wrong_category"], id="open"),
        pytest.param(PICTURES, "Waits for a decision", ["restore", "keep", "why"], ABOUT_PICTURES, id="with-pictures"),
        pytest.param({"state": "restored", "decided_by": "Mo"}, "Restored by Mo", ["why"], [], id="restored"),
        pytest.param(
            {"state": "kept", "decided_by": "Mo", "undoable": True, "measures": ("timeout",)},
            "Kept removed by Mo",
            ["undo", "why"],
            ["timeout"],
            id="kept",
        ),
        pytest.param(
            {"state": "dismissed", "decided_by": "Mo", "undoable": True, "measures": ("ban",)},
            "Found to be fine by Mo",
            ["undo", "why"],
            [],
            id="dismissed",
        ),
        pytest.param({"state": "removed", "decided_by": "Mo"}, "Taken out by Mo", ["why"], [], id="removed-by-hand"),
        pytest.param(
            {"state": "reported", "action": Action.FLAG, "findings": ()},
            "Reported: a message of",
            ["dismiss", "remove", "why"],
            [],
            id="reported",
        ),
        pytest.param(
            {"shadow": True}, "Would be held (shadow mode)", ["dismiss", "remove", "why"], ["wrong_category"], id="shadow"
        ),
        pytest.param({"restorable": False}, "No copy is kept", ["keep", "why"], ["wrong_category"], id="no-copy-to-bring-back"),
        pytest.param(
            {"state": "kept", "decided_by": "Mo", "appeal": "open", "appeal_text": "It was a joke."},
            "another moderator than Mo decides Its author appeals: It was a joke.",
            ["overturn", "uphold", "why"],
            [],
            id="appealed",
        ),
    ],
)
def test_a_card_says_where_its_case_stands(card: dict[str, object], ending: str, first: list[str], more: list[str]) -> None:
    html = said(CARD.model_copy(update=card))

    assert ending in words(html)
    rows = html.split('aria-label="What else can be done"')
    assert [re.findall(r'/buttons/(\w+)"', row) for row in rows] == [first, *([more] if more else [])]


def test_an_explanation_leaves_a_card_as_it_is() -> None:
    again = re.findall(r'/buttons/(\w+)" data-again', said(CARD.model_copy(update=PICTURES)))

    assert again == ["why"]


def test_what_is_known_of_a_case_has_no_buttons_and_leads_to_its_page() -> None:
    file, cases = said(CaseFile(card=CARD, why=())), said(CASES)

    assert "/buttons/" not in file + cases
    assert all('href="/desk/console/console/cases/c7"' in html for html in (file, cases))
    assert 'href="/desk/console/console/cases"' in cases


def test_whoever_does_not_review_can_enforce_nothing() -> None:
    assert re.findall(r"/buttons/(\w+)\?of=([\w%]+)", said(DIGEST)) == [
        ("enforce", "scam_spam%3A3"),
        ("enforce", "hate%3A3"),
    ]
    assert "/buttons/" not in said(DIGEST, viewer=ADA)


def test_a_notice_is_in_the_language_of_the_policy() -> None:
    held = Held(case="c7", action=Action.REMOVE, reasons=(), channel="general", language="de", appealable=True)

    html = said(held)

    assert held_words(held).appeal in words(html)
    assert 'lang="de"' in html
    assert '<a href="/channels/general">#general</a>' in html
    assert re.findall(r"/buttons/(\w+)", html) == ["appeal"]


@pytest.mark.parametrize("more", [{"appealable": False}, {"support": True, "action": Action.HOLD, "appealable": False}])
def test_there_is_no_appeal_where_there_can_be_none(more: dict[str, object]) -> None:
    held = Held(**{"case": "c7", "action": Action.REMOVE, "reasons": (), **more})

    assert "/buttons/" not in said(held)


@pytest.mark.parametrize(
    ("card", "pictured"),
    [
        pytest.param({}, "m1", id="open"),
        pytest.param({"state": "kept"}, None, id="decided"),
        pytest.param({"state": "kept", "appeal": "open"}, "m1", id="appealed"),
        pytest.param({"state": "kept", "appeal": "denied"}, None, id="appeal-decided"),
        pytest.param({"picture": False}, None, id="without-picture"),
    ],
)
def test_a_picture_is_there_while_somebody_has_to_decide(card: dict[str, object], pictured: str | None) -> None:
    answer = CARD.model_copy(update={"message": "m1", "picture": True, **card})

    assert render.message_pictured(answer) == pictured


def test_who_does_not_review_gets_no_buttons() -> None:
    assert "/buttons/" not in said(CARD, viewer=ADA)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(stored(text=XSS, state="shown"), id="text"),
        pytest.param(stored(author=Person(id="x", name=XSS), text="hi", state="shown"), id="author"),
        pytest.param(
            stored(files=(Attachment(id="f", url="console:a", name=XSS, media_type="image/png", size_bytes=1),), state="shown"),
            id="file-name",
        ),
        pytest.param(stored(author=None, answer=Notice(text=XSS, channel=XSS), state="shown"), id="notice"),
        pytest.param(
            stored(author=None, answer=SetUp(watched=(XSS,), log_channel=XSS, mode="shadow"), state="shown"), id="set-up"
        ),
        pytest.param(
            stored(
                author=None,
                answer=Held(case="c", action=Action.FLAG, reasons=(XSS,), stands=True, channel=XSS),
                state="shown",
            ),
            id="held",
        ),
        pytest.param(
            stored(
                author=None,
                answer=TAGGED.model_copy(
                    update=dict.fromkeys(("file_name", "style", "mood", "text", "alt_text", "engine"), XSS)
                    | dict.fromkeys(("subjects", "tags", "colours"), (XSS,))
                ),
                state="shown",
            ),
            id="tags",
        ),
        pytest.param(
            stored(
                author=None,
                answer=CARD.model_copy(
                    update={
                        "author": XSS,
                        "channel": XSS,
                        "message": XSS,
                        "reasons": (XSS,),
                        "decided_by": XSS,
                        "findings": (FOUND.model_copy(update={"evidence": XSS, "place": XSS, "finding_kind": XSS}),),
                    }
                ),
                state="shown",
            ),
            id="card",
        ),
        pytest.param(
            stored(
                author=None, answer=Invitation(name=XSS, role="member", url="javascript:alert(1)", minutes=1), state="shown"
            ),
            id="invitation",
        ),
        *(pytest.param(stored(author=None, answer=each, state="shown"), id=each.kind) for each in (*REVIEWS, *WISHES)),
    ],
)
def test_what_people_wrote_stays_text(message: object) -> None:
    reader = Reader()

    html = RENDERER.message(message, viewer=MO) + RENDERER.message(message, viewer=MO, in_thread=True)
    reader.feed(html)

    assert "\u202e" not in html
    assert "script" not in {tag for tag, _ in reader.tags}
    assert not [name for _, attributes in reader.tags for name in attributes if name.startswith("on") or name == "style"]
    addresses = [value for _, attributes in reader.tags for name, value in attributes.items() if name in {"src", "href"}]
    assert all(address.startswith("/") for address in addresses)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("plain", [("text", "plain")], id="no-link"),
        pytest.param(
            "see https://example.org/a?b=1#c.",
            [("text", "see "), ("link", "https://example.org/a?b=1#c"), ("text", ".")],
            id="without-the-full-stop",
        ),
        pytest.param("javascript:alert(1)", [("text", "javascript:alert(1)")], id="not-every-scheme"),
        pytest.param("https:///nohost", [("text", "https:///nohost")], id="no-host"),
        pytest.param("http://[::1", [("text", "http://[::1")], id="malformed"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_only_web_addresses_are_links(text: str, expected: list[tuple[str, str]]) -> None:
    assert render.spans(text) == expected


@pytest.mark.parametrize("state", ["removed", "erased"])
def test_what_was_taken_out_shows_neither_words_nor_files(state: str) -> None:
    message = stored(text="rude words", files=(CAT,), state=state)

    for_member, for_moderator = RENDERER.message(message, viewer=ADA), RENDERER.message(message, viewer=MO)

    for html in (for_member, for_moderator):
        assert "rude words" not in html
        assert "/media/" not in html
        assert "Taken out of the channel for review" in html
        assert "data-menu" not in html
    assert "/channels/moderators" not in for_member
    assert "/channels/moderators" in for_moderator


def test_a_private_command_line_shows_its_argument_and_no_menu() -> None:
    html = RENDERER.message(stored(command="moderate", text="what I asked", only_for="ada", state="shown"), viewer=ADA)

    assert "used /moderate" in words(html)
    assert "Only you can see this" in html
    assert "what I asked" in html
    assert "data-menu" not in html


def test_a_command_line_that_all_see_does_not_show_its_argument() -> None:
    html = RENDERER.message(stored(command="tag", text="what nobody judged", state="shown"), viewer=ADA)

    assert "used /tag" in words(html)
    assert "what nobody judged" not in html


def test_each_card_of_a_case_stands_under_its_own_name_and_time() -> None:
    cards = [stored(id=id, author=None, answer=CARD, state="shown") for id in ("a", "b")]

    html = RENDERER.messages(cards, viewer=MO)

    assert re.findall(r'class="(message[^"]*)"', html) == ["message", "message"]


def test_messages_of_one_author_stand_under_one_name() -> None:
    first, second = stored(text="one", state="shown"), stored(id="b", text="two", state="shown")
    other = stored(id="c", author=MO, text="three", state="shown")

    html = RENDERER.messages([first, second, other], viewer=ADA)

    assert re.findall(r'class="(message[^"]*)"', html) == ["message", "message follows", "message"]


def test_a_form_is_a_dialog_with_a_label_for_every_question() -> None:
    form = Form(
        name="report",
        title="Report",
        about="m7",
        submit="Send",
        fields=(
            FormField(name="why", label="Why?", control="lines", hint="Nobody else reads it.", max_chars=500),
            FormField(name="who", label="Who?", required=False),
            FormField(name="how", label="How?", control="choice", options=(("a", "This way"), ("b", "That way"))),
        ),
    )

    html = RENDERER.form(form, channel="general", thread=None)

    assert 'action="/channels/general/forms/report"' in html
    assert re.search(r'<input type="hidden" name="about" value="m7">', html)
    assert len(re.findall(r"<label", html)) == 4
    assert re.search(r'<textarea[^>]*name="value:why" maxlength="500" required aria-describedby="hint-1"', html)
    assert not re.search(r'name="value:who"[^>]*required', html)
    assert re.findall(r'type="radio" name="value:how" value="(\w)"', html) == ["a", "b"]


def test_a_form_opens_with_what_it_holds() -> None:
    options = (("a", "This way"), ("b", "That way"))
    form = Form(
        name="setup",
        title="Set up",
        submit="Save",
        fields=(
            FormField(name="line", label="A line", value='"quoted"'),
            FormField(name="lines", label="Lines", control="lines", value="<b>two"),
            FormField(name="how", label="How?", control="choice", options=options, value="b"),
            FormField(name="unset", label="And this?", control="choice", options=options),
            FormField(name="one", label="One", control="channel", value="moderators"),
            FormField(name="some", label="Some", control="channels", required=False, value="general moderators"),
            FormField(name="none", label="None", control="channels", required=False),
        ),
    )

    html = RENDERER.form(form, channel="general", thread=None)

    assert re.findall(r'name="value:(\w+)" value="(\w)" required checked', html) == [("how", "b"), ("unset", "a")]
    assert 'name="value:line" value="&#34;quoted&#34;"' in html
    assert ">&lt;b&gt;two</textarea>" in html
    menus = re.findall(r'<select[^>]*name="value:(\w+)"( multiple)?( required)?[^>]*>(.*?)</select>', html, re.DOTALL)
    chosen = [(name, bool(several), re.findall(r'value="(\w+)" selected', inside)) for name, several, _, inside in menus]
    assert chosen == [("one", False, ["moderators"]), ("some", True, ["general", "moderators"]), ("none", True, [])]
    assert re.findall(r'<option value="(\w*)"', menus[0][3]) == ["", "general", "moderators"]


@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [
        pytest.param(1, "1 byte", id="one-byte"),
        pytest.param(999, "999 bytes", id="bytes"),
        pytest.param(89_336, "89 kB", id="kilobytes"),
        pytest.param(2_560_000, "2.6 MB", id="megabytes"),
    ],
)
def test_a_size_is_said_in_words(size_bytes: int, expected: str) -> None:
    assert render.size(size_bytes) == expected
