"""Answers and forms to look at: each kind as it usually is, and as nobody hopes to meet it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bench.drawings import reviews, wishes
from handlers.answers import (
    Alert,
    Answer,
    CaseCard,
    FindingSaid,
    Found,
    Held,
    Invitation,
    Judged,
    Listing,
    Notice,
    SetUp,
    Tagged,
)
from handlers.cases import over_quota
from handlers.commands import help_for
from handlers.events import CommandUsed, Person, Place, Role
from handlers.forms import Form, form_for
from handlers.ports.channels import Setup
from pipelines.language import catalogue
from pipelines.moderation.decide import in_words
from pipelines.moderation.policy import Action
from pipelines.moderation.report import Category, Finding
from pipelines.ports import UNDERSTUDY
from tests.extracted import TOGETHER, an_endless_extraction, an_extracted, an_extraction, what_was_found
from tests.fakes import FixedPolicy, KeptSetups, ListedCases, ListedChannels, ListedResults
from tests.making import ListedWishes


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """A workspace as one platform names it: `channels` are ids and names, the first one is where people talk."""

    platform: str
    workspace: str
    channels: dict[str, str]
    message: str

    @property
    def channel(self) -> str:
        return next(iter(self.channels))

    @property
    def log_channel(self) -> str:
        return list(self.channels)[-1]

    @property
    def place(self) -> Place:
        return Place(platform=self.platform, workspace=self.workspace, channel=self.channel)


SLACK: Final = Here(
    platform="slack",
    workspace="T024BE7LD",
    channels={"C024BE7LR": "general", "C024BE91L": "pictures", "C06MODS42": "moderators"},
    message="1764000000.000100",
)
DISCORD: Final = Here(
    platform="discord",
    workspace="1200000000000000001",
    channels={"1200000000000000011": "general", "1200000000000000012": "pictures", "1200000000000000013": "moderators"},
    message="1200000000000000021",
)
CONSOLE: Final = Here(
    platform="console",
    workspace="console",
    channels={"general": "general", "moderators": "moderators"},
    message="7",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An answer with its caption. `to`: who sees it. `usual`: it stands in the documentation as well."""

    caption: str
    answer: Answer
    to: Literal["all", "asker", "author"] = "all"
    usual: bool = False


NASTY_NAME: Final = "@everyone <!channel> **Ada** *b* _i_ ~s~ `c` [x](https://evil.example) <b>\u202egnp.exe"
NASTY_TEXT: Final = (
    "# Big\n> quoted\n```\nblock\n```\n- point\n1. one\n-# small\n@everyone @here <@1200000000000000001> <!here> <#C024BE7LR>\n"
    "https://evil.example/?a=1&b=2 <https://evil.example|click> ||spoiler|| :wave: &lt;b&gt; <script>alert(1)</script>"
)
LONG: Final = "A sentence that somebody wrote without ever coming to an end and goes on, and on, and on. " * 40
WORD: Final = "Donaudampfschifffahrtsgesellschaftskapitaen" * 12


def samples(here: Here) -> tuple[Sample, ...]:
    """Return every sample, with the ids of `here`."""
    return (
        *_tagged(),
        *_documents(here),
        *_wishes(),
        *_judged(),
        *_cases(here),
        *_reviewed(here),
        *_held(here),
        *_listings(here),
        *_others(here),
    )


async def forms(here: Here) -> tuple[Form, ...]:
    """Return every form that can open here, as it opens there."""
    admin = Person(id="1", name="Mo", role=Role.OPERATOR if here.platform == "console" else Role.ADMIN)
    asked = {"report": here.message, "flashbulb setup": "", "flashbulb invite": ""}
    chosen = Setup(watched=tuple(here.channels)[:2], log_channel=here.log_channel, mode="shadow")
    opened = []
    for line, message in asked.items():
        command, _, argument = line.partition(" ")
        event = CommandUsed(
            key=line, place=here.place, author=admin, command=command, argument=argument, message=message or None
        )
        channels = ListedChannels(chooses=here.platform != "console")
        opened.append(
            await form_for(
                event,
                channels=channels,
                policies=FixedPolicy(),
                setups=KeptSetups(chosen),
                results=ListedResults(),
                wishes=ListedWishes(),
                cases=ListedCases(),
            )
        )
    return tuple(form for form in opened if form is not None)


def _tagged() -> Sequence[Sample]:
    lake = Tagged(
        file_name="IMG_2041.jpg",
        subjects=("wooden jetty", "lake", "two people in a rowing boat"),
        style="photograph",
        mood="calm",
        quality=(("sharpness", "good"), ("exposure", "slightly_dark"), ("noise", "low")),
        colours=("orange", "deep blue", "brown"),
        text="BOAT HIRE\n4 € per hour",
        alt_text="A wooden jetty at sunset; beyond it two people row a boat across a still lake.",
        tags=("sunset", "lake", "jetty", "rowing boat", "water", "summer evening", "reflection"),
        engine="gemini-2.5-flash-lite",
    )
    bare = lake.model_copy(
        update={"subjects": (), "quality": (), "colours": (), "text": "", "tags": (), "engine": UNDERSTUDY}
        | {"file_name": "Screenshot 2026-11-24 at 09.41.07.png", "alt_text": "A plain grey area."}
    )
    nasty = lake.model_copy(
        update={"file_name": f"{NASTY_NAME}\n# {WORD}.png", "subjects": (NASTY_NAME, WORD), "style": "*bold*", "mood": "_mood_"}
        | {
            "text": NASTY_TEXT + "\n" + LONG,
            "alt_text": NASTY_TEXT[:300],
            "tags": (NASTY_NAME, "a*b*c", "snake_case_tag", WORD),
        }
    )
    return (
        Sample(caption="The answer to /tag", answer=lake, usual=True),
        Sample(caption="Tags: empty lists, no model", answer=bare),
        Sample(caption="Tags: markup, mentions and long texts", answer=nasty),
    )


def _documents(here: Here) -> Sequence[Sample]:
    invoice, found = an_extracted(), what_was_found(here.channel, here.message)
    sound = an_extraction(rows=2).model_copy(update={"checks": (), "missing": (), "notes": (), "engine": UNDERSTUDY})
    evil = found.model_copy(
        update={"words": NASTY_NAME, "items": (found.items[0].model_copy(update={"title": NASTY_NAME, "says": NASTY_TEXT}),)}
    )
    return (
        Sample(caption="The answer to /extract", answer=invoice, usual=True),
        Sample(
            caption="Extracted: confirmed",
            answer=invoice.model_copy(update={"state": "confirmed", "decided_by": "Grace Hopper", "extraction": sound}),
        ),
        Sample(
            caption="Extracted: markup, mentions and long texts",
            answer=an_endless_extraction(NASTY_TEXT).model_copy(update={"file_name": NASTY_NAME}),
        ),
        Sample(caption="Several documents at once", answer=TOGETHER, usual=True),
        Sample(caption="The answer to /flashbulb find", answer=found, to="asker", usual=True),
        Sample(caption="Found: nothing", answer=Found(words="acme", items=()), to="asker"),
        Sample(caption="Found: nasty words", answer=evil, to="asker"),
    )


def _wishes() -> Sequence[Sample]:
    items = tuple(
        item.model_copy(update={"position": at, "caption": NASTY_TEXT, "missing": LONG})
        for at, item in enumerate(wishes.MADE.items * 2, start=1)
    )
    nasty = wishes.MADE.model_copy(
        update={
            "deed": "prompted",
            "about": NASTY_TEXT,
            "wish": NASTY_TEXT,
            "prompt": NASTY_TEXT + LONG,
            "model": NASTY_NAME,
            "notes": (NASTY_TEXT, LONG),
        }
        | {"engine": UNDERSTUDY, "spoiler": True, "items": items}
    )
    return (
        Sample(caption="Before something dear is made", answer=wishes.SHOWN, usual=True),
        Sample(caption="While something is made", answer=wishes.MAKING, usual=True),
        Sample(caption="The answer to /imagine", answer=wishes.MADE, usual=True),
        Sample(caption="While a picture is varied", answer=wishes.VARYING),
        Sample(caption="After Upscale", answer=wishes.UPSCALED),
        Sample(caption="Made: markup, mentions and long texts", answer=nasty),
        Sample(caption="What could not be made", answer=wishes.NOT_MADE, usual=True),
        Sample(caption="The answer to /flashbulb queue", answer=wishes.QUEUE, to="asker", usual=True),
        Sample(caption="The answer to /flashbulb usage", answer=wishes.USAGE, to="asker", usual=True),
    )


def finding(category: Category, severity: int, confidence: float, evidence: str = "", **more: str) -> FindingSaid:
    return FindingSaid(category=category, severity=severity, confidence=confidence, evidence=evidence, **more)


SCAM: Final = finding(
    Category.SCAM_SPAM,
    3,
    0.93,
    "Send 0.1 BTC to this address and get 0.2 back within the hour",
    finding_kind="investment_fraud",
    place="file:0/code:0",
)
INSULT: Final = finding(Category.HARASSMENT, 2, 0.71, "nobody here wants you, clown", place="text:0")
NASTY_FINDINGS: Final = tuple(
    finding(category, at % 5, 0.1 * (at % 10), text, finding_kind=f"kind_{at}", place=f"file:{at}/frame:17")
    for at, category in enumerate(Category)
    for text in [NASTY_TEXT if at == 0 else LONG if at == 1 else "" if at % 2 else NASTY_NAME]
)
NASTY_REASONS: Final = (NASTY_TEXT, LONG, WORD, *(f"{number}. reason" for number in range(12)))


def _judged() -> Sequence[Sample]:
    act = Judged(
        verdict="act",
        action=Action.REMOVE,
        reasons=(),
        findings=(SCAM, INSULT),
        judged=2,
        total=2,
        policy="4f1c02ab93de",
        engine="gemini-2.5-flash-lite",
    )
    allow = act.model_copy(
        update={"verdict": "allow", "action": Action.ALLOW, "findings": (), "judged": 1, "total": 1, "engine": UNDERSTUDY}
    )
    unknown = act.model_copy(
        update={"verdict": "unknown", "action": Action.HOLD, "findings": (), "judged": 0, "engine": "none"}
        | {"reasons": ("The file is damaged and cannot be read.", "The model refuses to look at this content.")}
    )
    nasty = act.model_copy(update={"reasons": NASTY_REASONS, "findings": NASTY_FINDINGS, "engine": NASTY_NAME})
    return (
        Sample(caption="The answer to /moderate", answer=act, to="asker", usual=True),
        Sample(caption="Judged: nothing to object to, no model", answer=allow, to="asker"),
        Sample(caption="Judged: could not be judged", answer=unknown, to="asker"),
        Sample(caption="Judged: too much of everything", answer=nasty, to="asker"),
    )


def _cases(here: Here) -> Sequence[Sample]:
    held = CaseCard(
        case="mfzwizltoq",
        author="Ada Lovelace",
        channel=here.channel,
        message=here.message,
        action=Action.HOLD,
        shadow=False,
        reasons=("The judge did not look at 1 of 3 parts.",),
        findings=(SCAM,),
        judged=2,
        total=3,
        engine="gemini-2.5-flash-lite",
        state="open",
    )
    flagged = held.model_copy(update={"action": Action.FLAG, "called_for": Action.REMOVE, "reasons": ()})
    shadow = held.model_copy(update={"action": Action.REMOVE, "shadow": True, "reasons": (), "findings": (INSULT,)})
    reported = flagged.model_copy(
        update={"called_for": None, "state": "reported", "findings": (), "engine": "none", "judged": 1, "total": 1}
        | {"reasons": ("Reported by a member: he keeps posting this in every channel",)}
    )
    child = finding(Category.CHILD_SAFETY, 4, 0.97)
    copyless = held.model_copy(update={"action": Action.REMOVE, "reasons": (), "findings": (child,), "restorable": False})
    refused = held.model_copy(
        update={"urgent": True, "findings": (), "judged": 0, "engine": "none"}
        | {"reasons": ("The model refuses to look at this content.",)}
    )
    paused = held.model_copy(update={"action": Action.TIMEOUT, "reasons": (), "strikes": 2, "timeout_minutes": 60})
    weakened = flagged.model_copy(update={"over_quota": True, "strikes": 1})
    nasty = held.model_copy(
        update={"author": NASTY_NAME, "reasons": NASTY_REASONS, "findings": NASTY_FINDINGS, "called_for": Action.BAN}
        | {"urgent": True, "over_quota": True, "strikes": 1_234, "timeout_minutes": 40_320}
    )
    decided = {"decided_by": "Grace Hopper", "reasons": ()}
    return (
        Sample(caption="A case that waits for a moderator", answer=held, usual=True),
        Sample(caption="A case where less was done than the policy calls for", answer=flagged, usual=True),
        Sample(caption="A case in shadow mode", answer=shadow, usual=True),
        Sample(caption="A case that a member reported", answer=reported, usual=True),
        Sample(caption="A case that comes first: the model refuses to look", answer=refused, usual=True),
        Sample(caption="Case: its author is silent after strikes", answer=paused),
        Sample(caption="Case: only flagged, for too much was done within the hour", answer=weakened),
        Sample(caption="Case: restored", answer=held.model_copy(update={"state": "restored", **decided})),
        Sample(caption="Case: kept removed", answer=held.model_copy(update={"state": "kept", **decided})),
        Sample(caption="Case: no copy is kept", answer=copyless),
        Sample(caption="Case: a ban in shadow mode", answer=shadow.model_copy(update={"action": Action.BAN})),
        Sample(caption="Case: nasty names, and too much of everything", answer=nasty),
        Sample(
            caption="Case: restored by a nasty name",
            answer=nasty.model_copy(update={"state": "restored", "decided_by": NASTY_NAME}),
        ),
    )


def _reviewed(here: Here) -> Sequence[Sample]:
    """Return cases with all their buttons, appeals, files, lists and digests."""
    held = reviews.case(here.channel, here.message, SCAM)
    appealed = held.model_copy(update=reviews.APPEALED)
    file = reviews.case_file(appealed.model_copy(update={"state": "kept", "decided_by": "Grace Hopper"}))
    nasty_case = held.model_copy(
        update={"author": NASTY_NAME, "appeal": "open", "appeal_text": f"{NASTY_TEXT}\n{LONG}", "decided_by": NASTY_NAME}
    )
    nasty_file = file.model_copy(
        update={"card": nasty_case, "why": (NASTY_TEXT, LONG, WORD), "said": f"{NASTY_TEXT}\n{LONG}{WORD}"}
        | {"files": (NASTY_NAME, WORD), "steps": reviews.steps(NASTY_NAME) * 20}
    )
    return (
        Sample(caption="A case with all that can be done about it", answer=held, usual=True),
        Sample(caption="A case whose author asks for another look", answer=appealed, usual=True),
        Sample(caption="Case: the appeal was granted", answer=held.model_copy(update=reviews.GRANTED)),
        Sample(caption="Case: the appeal was denied", answer=held.model_copy(update=reviews.DENIED)),
        Sample(caption="Case: decided a moment ago", answer=held.model_copy(update=reviews.KEPT)),
        Sample(caption="Case: fine as it is", answer=held.model_copy(update=reviews.DISMISSED)),
        Sample(caption="Case: taken out by hand", answer=held.model_copy(update=reviews.REMOVED)),
        Sample(caption="Case: something else than was found", answer=held.model_copy(update=reviews.OTHER)),
        Sample(caption="Case: gone meanwhile", answer=held.model_copy(update=reviews.GONE)),
        Sample(caption="Why?", answer=file, to="asker", usual=True),
        Sample(caption="Why? with too much of everything", answer=nasty_file, to="asker"),
        Sample(caption="Cases that wait", answer=reviews.case_list(here.channel, here.message), to="asker", usual=True),
        Sample(caption="No case waits", answer=reviews.NO_CASES, to="asker"),
        Sample(
            caption="Cases: nasty names",
            answer=reviews.case_list(here.channel, here.message, author=NASTY_NAME, times=4),
            to="asker",
        ),
        Sample(caption="A week in shadow mode", answer=reviews.DIGEST, usual=True),
        Sample(caption="A quiet week in shadow mode", answer=reviews.QUIET),
        Sample(caption="A link to the review desk", answer=reviews.DESK, to="asker"),
    )


def _held(here: Here) -> Sequence[Sample]:
    held = Held(
        case="mfzwizltoq",
        action=Action.HOLD,
        reasons=("Scam or spam, investment fraud: severe, 93% sure.",),
        channel=here.channel,
        appealable=True,
    )
    stands = held.model_copy(update={"action": Action.FLAG, "stands": True, "appealable": False})
    paused = held.model_copy(
        update={"action": Action.TIMEOUT, "timeout_minutes": 60, "text": "Send 0.1 BTC here:\nbc1-test, and get 0.2 back"}
    )
    sure = Finding(category=Category.SCAM_SPAM, kind="investment_fraud", severity=3, confidence=0.93)
    german = held.model_copy(update={"language": "de", "reasons": (in_words(sure, catalogue("de")),)})
    return (
        Sample(caption="What the author of a held message hears", answer=held, to="author", usual=True),
        Sample(
            caption="To the author: removed",
            answer=held.model_copy(update={"action": Action.REMOVE, "reasons": ()}),
            to="author",
        ),
        Sample(caption="To the author: it could not be taken out", answer=stands, to="author"),
        Sample(caption="To the author: silent for an hour, and their words back", answer=paused, to="author", usual=True),
        Sample(
            caption="To the author: nasty words back",
            answer=paused.model_copy(update={"text": f"{NASTY_TEXT}\n{LONG}{WORD}", "timeout_minutes": 90}),
            to="author",
        ),
        Sample(
            caption="Support for somebody who may need it",
            answer=held.model_copy(update={"support": True, "reasons": ()}),
            to="author",
            usual=True,
        ),
        Sample(
            caption="To the author: support, the message stands",
            answer=held.model_copy(update={"support": True, "reasons": (), "action": Action.FLAG}),
            to="author",
        ),
        Sample(caption="To the author, in German", answer=german, to="author", usual=True),
        Sample(
            caption="To the author: no channel, nasty reasons",
            answer=held.model_copy(update={"channel": "", "reasons": NASTY_REASONS}),
            to="author",
        ),
    )


POLICY: Final = """\
version: 1
mode: shadow
unknown: hold
gates:
  hold: [{severity: 2, confidence: 0.7}]
channels:
  - match: {name: "support-*"}
    profile: support
"""


def _listings(here: Here) -> Sequence[Sample]:
    listing = Listing(title="Policy 3, saved by Grace Hopper", body=POLICY)
    long = "".join(f"  - match: {{name: channel-{number}}}  # {WORD[: number % 90]}\n" for number in range(400))
    alert = Alert(
        title="No model answers",
        text="For 5 minutes nothing could be judged. What happens to new messages until a model answers again?",
        value="away",
        buttons=(("away_hold", "Hold them all"), ("away_flag", "Flag them all")),
        channels=(here.channel,),
    )
    return (
        Sample(caption="A policy", answer=listing, to="asker", usual=True),
        Sample(caption="A listing that is too long for a message", answer=Listing(title="All rules", body=long), to="asker"),
        Sample(caption="A listing of nothing", answer=listing.model_copy(update={"body": ""}), to="asker"),
        Sample(
            caption="A listing of nasty text",
            answer=Listing(title=NASTY_NAME, body=f"{NASTY_TEXT}\n\tcolumn\t2\n{WORD}\n```", file_name=NASTY_NAME),
            to="asker",
        ),
        Sample(caption="An alert with a choice", answer=alert, usual=True),
        Sample(caption="An alert without one", answer=over_quota()),
        Sample(
            caption="An alert of nasty words about many channels",
            answer=alert.model_copy(update={"title": NASTY_NAME, "text": NASTY_TEXT + LONG, "channels": (here.channel,) * 14}),
        ),
    )


def _others(here: Here) -> Sequence[Sample]:
    everywhere = SetUp(watched=(), log_channel=here.log_channel, mode="shadow")
    some = SetUp(
        watched=tuple(here.channels)[:2], log_channel=here.log_channel, mode="enforce", policy="number 3, by Grace Hopper"
    )
    link = Invitation(name="Grace", role="moderator", url=f"http://127.0.0.1:8321/enter#{'k' * 43}", minutes=10)
    reported = Notice(text="Thank you. The moderators see your report; the author does not learn who sent it.")
    back = Notice(text="A moderator looked at your message and put it back. Sorry for the trouble.", channel=here.channel)
    return (
        Sample(
            caption="The answer to /flashbulb help",
            answer=help_for(Role.OPERATOR if here.platform == "console" else Role.ADMIN),
            to="asker",
            usual=True,
        ),
        Sample(caption="The answer to /flashbulb setup", answer=some, to="asker", usual=True),
        Sample(caption="Set up: every channel", answer=everywhere, to="asker"),
        Sample(caption="Set up: no channel for cases", answer=everywhere.model_copy(update={"log_channel": None}), to="asker"),
        Sample(caption="A notice", answer=reported, to="asker", usual=True),
        Sample(caption="A notice about a channel", answer=back, to="author"),
        Sample(
            caption="A notice of nasty words",
            answer=Notice(text=NASTY_TEXT + "\n" + LONG + WORD, channel=here.channel),
            to="asker",
        ),
        Sample(caption="An invitation (the console's operator only)", answer=link, to="asker"),
        Sample(caption="An invitation for a nasty name", answer=link.model_copy(update={"name": NASTY_NAME}), to="asker"),
    )
