"""What Slack's messages show, and samples of all that is said about cases."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from handlers.answers import (
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
    Invitation,
)
from pipelines.moderation.policy import Action
from pipelines.moderation.report import Category

HOME = "https://x.slack.com/"
NASTY = "<!channel> <@U1> *b* & <https://evil.example|bank> \u202etxt"
DESK = "http://127.0.0.1:8321/desk/slack/T1"
AT = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
FOUND = FindingSaid(
    category=Category.SCAM_SPAM,
    finding_kind="fake_shop",
    severity=3,
    confidence=0.8,
    evidence="buy now\nquick",
    place="file:0/frame:17",
)
CARD = CaseCard(
    case="c7",
    author="Ada",
    channel="CPICS",
    message="1795398917.000100",
    action=Action.HOLD,
    shadow=False,
    reasons=("It looks like spam.",),
    findings=(FOUND,),
    judged=2,
    total=3,
    engine="gemini-x",
    state="open",
)
APPEALED = CARD.model_copy(
    update={"state": "kept", "decided_by": "Mo", "appeal": "open", "appeal_text": "It is my own shop.\nPlease look again."}
)
LINE = CaseLine(
    case="c7",
    title="Held",
    author="Ada",
    channel="CPICS",
    message="1795398917.000100",
    at=AT,
    category=Category.SCAM_SPAM,
    state="open",
    urgent=True,
    appealed=True,
)
FILE = CaseFile(
    card=APPEALED,
    why=("It looks like spam.", "The policy holds that from 0.7 on."),
    said="buy *now*\nquick",
    files=("offer.png", "terms.pdf"),
    steps=(CaseStep(at=AT, text="Held."), CaseStep(at=AT, text="Mo kept it removed.")),
    url=f"{DESK}/c7",
)
CASES = CaseList(title="Cases that wait", items=(LINE, LINE.model_copy(update={"message": ""})), waiting=3, more=1, url=DESK)
DIGEST = Digest(
    since=datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
    until=AT,
    lines=(
        DigestLine(
            category=Category.SCAM_SPAM,
            flagged=3,
            held=30,
            removed=1_204,
            right=38,
            wrong=2,
            by_hand=31,
            precision=0.95,
            low=0.83,
            high=0.99,
        ),
        DigestLine(category=Category.GORE, flagged=1),
    ),
    missed=2,
    notes=("gore: 0 of 30 looked at",),
    buttons=(("enforce", "Enforce scam or spam", "scam_spam"), ("enforce", "Enforce gore", "gore")),
)
REVIEWS: list[Answer] = [
    CARD,
    CARD.model_copy(update={"urgent": True, "strikes": 2, "timeout_minutes": 90, "over_quota": True}),
    CARD.model_copy(update={"shadow": True, "pictured": True, "measures": ("timeout", "ban"), "called_for": Action.BAN}),
    CARD.model_copy(update={"action": Action.FLAG, "state": "dismissed", "decided_by": "Mo", "undoable": True}),
    CARD.model_copy(update={"action": Action.FLAG, "state": "removed", "decided_by": "Mo", "measured": ("timeout", "ban")}),
    CARD.model_copy(update={"action": Action.FLAG, "gone": True}),
    CARD.model_copy(update={"state": "kept", "decided_by": "Mo", "right_category": Category.HARASSMENT}),
    APPEALED,
    APPEALED.model_copy(update={"appeal": "denied", "appeal_decided_by": "Eve"}),
    APPEALED.model_copy(update={"state": "restored", "appeal": "granted", "appeal_decided_by": "Eve"}),
    FILE,
    CaseFile(card=CARD, why=()),
    CASES,
    CaseList(title="Cases that wait", items=(), waiting=0),
    DIGEST,
    Digest(since=AT, until=AT, lines=()),
    Held(case="c7", action=Action.HOLD, reasons=("Spam.",), channel="CPICS", appealable=True),
    Held(case="c7", action=Action.HOLD, reasons=("Spam.",), channel="CPICS", appealable=True, language="de"),
    Held(case="c7", action=Action.FLAG, reasons=("Spam.",), stands=True, channel="CPICS"),
    Held(case="c7", action=Action.HOLD, reasons=(), support=True, channel="CPICS", appealable=True),
    Held(case="c7", action=Action.TIMEOUT, reasons=("Spam.",), channel="CPICS", text="buy *now*\nquick", timeout_minutes=60),
    Invitation(name="Ada", role="moderator", desk=True, url="http://127.0.0.1:8321/enter#code", minutes=10),
]


def runs(said: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every element of rich text, and every other text, in order."""
    left = list(reversed(said["blocks"]))
    while left:
        item = left.pop()
        if isinstance(item.get("text"), str):
            yield item
        elif isinstance(item.get("text"), dict):
            yield item["text"]
        elif item["type"] in ("channel", "link"):
            yield item
        left.extend(reversed(item.get("elements", ())))


def words(said: dict[str, Any]) -> str:
    """Return all that the blocks say."""
    return "".join(item.get("text") or f"#{item['channel_id']}" for item in runs(said))


def rows(said: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Return the rows of buttons."""
    return [block["elements"] for block in said["blocks"] if block["type"] == "actions"]
