"""What moderators see of cases, appeals and shadow mode, as it usually is."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from handlers.answers import CaseCard, CaseFile, CaseLine, CaseList, CaseStep, Digest, DigestLine, FindingSaid, Invitation
from pipelines.moderation.policy import Action
from pipelines.moderation.report import Category

ID: Final = "mfzwizltoq3a"
AT: Final = datetime(2026, 3, 9, 14, 2, tzinfo=UTC)

APPEALED: Final[dict[str, Any]] = {
    "appeal": "open",
    "appeal_text": "It is the link to our own raffle. Grace from the team asked me to post it.",
}
GRANTED: Final[dict[str, Any]] = APPEALED | {
    "appeal": "granted",
    "appeal_decided_by": "Linus",
    "state": "restored",
    "decided_by": "Grace Hopper",
}
DENIED: Final[dict[str, Any]] = GRANTED | {"appeal": "denied", "state": "kept"}
KEPT: Final[dict[str, Any]] = {"state": "kept", "decided_by": "Grace Hopper", "undoable": True}
STANDS: Final[dict[str, Any]] = {"action": Action.FLAG}
DISMISSED: Final[dict[str, Any]] = STANDS | KEPT | {"state": "dismissed"}
REMOVED: Final[dict[str, Any]] = STANDS | KEPT | {"state": "removed", "measures": ("ban",)}
OTHER: Final[dict[str, Any]] = KEPT | {"right_category": Category.HARASSMENT}
GONE: Final[dict[str, Any]] = STANDS | {"gone": True}


def case(channel: str, message: str, finding: FindingSaid) -> CaseCard:
    """Return a case about which everything can be done."""
    return CaseCard(
        case=ID,
        author="Ada Lovelace",
        channel=channel,
        message=message,
        action=Action.HOLD,
        shadow=False,
        reasons=(),
        findings=(finding,),
        judged=2,
        total=2,
        engine="gemini-2.5-flash-lite",
        state="open",
        strikes=1,
        pictured=True,
        measures=("timeout", "ban"),
    )


def steps(moderator: str = "Grace Hopper") -> tuple[CaseStep, ...]:
    """Return a history from the message to the appeal."""
    said = (
        "Ada Lovelace posted it. Scam or spam: severe, 93 % sure. The policy calls for hold.",
        "The message was taken out.",
        f"{moderator} kept it removed.",
        "Ada Lovelace asked for another look.",
    )
    return tuple(CaseStep(at=AT + timedelta(minutes=7 * at), text=text) for at, text in enumerate(said))


def case_file(card: CaseCard) -> CaseFile:
    return CaseFile(
        card=card,
        why=(
            "Scam or spam: severe, 93 % sure. That opens hold (severity 3, confidence 0.5) of the rule for every category.",
            "Remove would have needed a confidence of 0.95.",
            "Version 4 of the policy (fingerprint 3f9a1c0d22be) held. No profile holds in this channel.",
            "2 of 2 parts were judged, by gemini-2.5-flash-lite with question 77c0ffee1234.",
        ),
        said="Send 0.1 BTC to the address in the picture and get 0.2 back! Only today",
        files=("giveaway.png",),
        steps=steps(),
        url=f"https://flashbulb.example/desk/slack/T024BE7LD/cases/{ID}",
    )


def case_list(channel: str, message: str, *, author: str = "Ada Lovelace", times: int = 1) -> CaseList:
    """Return the cases that wait, `times` times as many as usual."""
    shared: dict[str, Any] = {"channel": channel, "message": message, "author": author}
    items = (
        CaseLine(case=ID, title="Held", at=AT, category=Category.SCAM_SPAM, state="open", urgent=True, **shared),
        CaseLine(case="4tq7c2v5lmwa", title="Removed", at=AT, category=Category.HATE, state="kept", appealed=True, **shared),
        CaseLine(case="bz3k9pd0x7ya", title="Reported", at=AT, state="reported", **shared),
    )
    return CaseList(title="Cases that wait", items=items * times, waiting=23, more=20, url="https://flashbulb.example/desk")


NO_CASES: Final = CaseList(title="Cases that wait", items=(), waiting=0)

DIGEST: Final = Digest(
    since=AT - timedelta(days=7),
    until=AT,
    lines=(
        DigestLine(
            category=Category.SCAM_SPAM,
            flagged=12,
            held=41,
            removed=19,
            right=64,
            wrong=2,
            by_hand=31,
            precision=0.97,
            low=0.9,
            high=0.99,
        ),
        DigestLine(
            category=Category.HARASSMENT, flagged=30, held=17, right=9, wrong=8, by_hand=6, precision=0.53, low=0.31, high=0.74
        ),
        DigestLine(category=Category.GORE, flagged=1),
    ),
    missed=3,
    notes=("harassment: 17 of 50 looked at", "There is one suggestion: /flashbulb policy suggestions"),
    buttons=(("enforce", "Enforce scam or spam", "scam_spam"),),
)
QUIET: Final = Digest(since=AT - timedelta(days=7), until=AT, lines=())
DESK: Final = Invitation(
    name="Grace Hopper", role="moderator", desk=True, url="https://flashbulb.example/enter#Zm9vYmFyYmF6", minutes=10
)
