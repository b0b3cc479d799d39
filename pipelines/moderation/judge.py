"""Ask a model what a message contains, and believe only an answer that is complete."""

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final, Literal, Protocol

from pydantic import BaseModel, Field

from pipelines import limits
from pipelines.content import Gap, ImagePart, Intake, Part, TextPart
from pipelines.moderation.folding import FOLDED, with_folded
from pipelines.moderation.known import NOTHING_KNOWN
from pipelines.moderation.memory import NO_MEMORY
from pipelines.moderation.policy import ChannelPolicy, Policy
from pipelines.moderation.report import OWN, Category, CategoryName, Coverage, Finding, Incomplete, Report
from pipelines.ports import Allowed, Call, HashBank, Known, LanguageModel, Memory, Question, Reply
from pipelines.questions import Prompt, fresh_nonce, prompt

EVIDENCE_CHARS: Final = 120
ESCALATION_LEAST_S: Final = 2.0  # no model answers in less
EARLIER: Final = "earlier:"  # begins the ids of what the same author sent before

# The kinds that the question names; any other is left empty.
KINDS: Final[dict[str, frozenset[str]]] = {
    Category.SEXUAL: frozenset({"explicit", "nudity", "suggestive"}),
    Category.VIOLENCE: frozenset({"threat", "glorification", "extremism"}),
    Category.SELF_HARM: frozenset({"distress", "promotion"}),
}
# What a finding is of whose kind the judge has not named: somebody may be at risk.
UNNAMED: Final[dict[str, str]] = {Category.SELF_HARM: "distress"}
# What people split over messages. A finding of it counts also where the judge saw it in the earlier ones only.
SPLIT: Final = frozenset(
    {
        Category.CHILD_SAFETY,
        Category.HATE,
        Category.HARASSMENT,
        Category.SCAM_SPAM,
        Category.SEXUAL,
        Category.TAMPERING,
        Category.VIOLENCE,
    }
)
# What is said of a file's name, not of its bytes.
OF_NAMES: Final = frozenset({"wrong_extension", "wrong_media_type", "double_extension"})

# Vendors' reasons behind which may be content that nobody is allowed to keep a copy of.
NO_COPY_REASONS: Final = {"PROHIBITED_CONTENT", "IMAGE_PROHIBITED_CONTENT"}


class Opinion(BaseModel):
    """What the judge says about one category. Its claims; only the ranges are checked."""

    kind: str
    severity: int = Field(ge=0, le=4)
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)
    evidence: str = Field(json_schema_extra={"maxLength": EVIDENCE_CHARS})
    place: str


class Opinions(BaseModel):
    """One opinion on each of the ten categories: a missing one makes the answer invalid."""

    child_safety: Opinion
    sexual: Opinion
    violence: Opinion
    gore: Opinion
    hate: Opinion
    harassment: Opinion
    self_harm: Opinion
    illicit: Opinion
    scam_spam: Opinion
    privacy: Opinion


class OwnOpinion(Opinion):
    """What the judge says about a category that the workspace's policy describes."""

    name: str


class Judgement(BaseModel):
    """The answer that the judge must give."""

    nonce: str
    parts: list[str]
    categories: Opinions
    tampering: Opinion
    own: list[OwnOpinion]


class Asker(Protocol):
    """How one message's parts are put to a model: alone, as `ask` does, or together with others."""

    def __call__(
        self, parts: tuple[Part, ...], *, model: LanguageModel, policy: Policy | None = None
    ) -> Awaitable[Reply[Judgement]]: ...


# --- The question ------------------------------------------------------------------------------------------------------------


def instructions(name: str, *, nonce: str, policy: Policy | None = None) -> Prompt:
    """Return a moderation question with the workspace's own categories."""
    language = policy.language if policy else "en"
    own = _own_in_words(policy)
    categories = prompt("moderation_categories", own=own).text.strip()
    text = prompt(name, nonce=nonce, language=language, categories=categories).text
    return Prompt(text=text, fingerprint=_fingerprint(language, own))


def fingerprint(policy: Policy | None) -> str:
    """Return what names the question in verdicts: its wording, alone and together, but not its nonce."""
    return _fingerprint(policy.language if policy else "en", _own_in_words(policy))


@lru_cache(maxsize=256)
def _fingerprint(language: str, own: str) -> str:
    asked = (prompt(name, nonce="", language="", categories="") for name in ("moderation", "moderation_together"))
    wording = [*(each.fingerprint for each in asked), prompt("moderation_categories", own="").fingerprint, language, own]
    return hashlib.sha256(json.dumps(wording).encode()).hexdigest()[:12]


def _own_in_words(policy: Policy | None) -> str:
    """Return the own categories, one line each, whatever characters the operator's sentences hold."""
    if policy is None or not policy.own_categories:
        return "This workspace has no categories of its own: `own` is an empty list."
    lines = [f"- `{name}`: {_one_line(own.says)}" for name, own in policy.own_categories.items()]
    return "\n".join(["The categories of this workspace's own, by name:", "", *lines])


def _one_line(sentence: str) -> str:
    return " ".join(sentence.replace("<", "‹").replace("`", "'").split())


async def ask(
    parts: tuple[Part, ...],
    *,
    model: LanguageModel,
    policy: Policy | None = None,
    task: Literal["moderation", "escalation"] = "moderation",
) -> Reply[Judgement]:
    """Put one question about some parts to a model."""
    nonce = fresh_nonce()

    def check(answer: Judgement) -> str | None:
        if answer.nonce != nonce:
            return "The nonce is not the one of this question."
        return wrong_with(answer, parts, policy)

    return await model.ask(
        Question(
            task=task,
            instructions=instructions("moderation", nonce=nonce, policy=policy).text,
            parts=parts,
            shape=Judgement,
            nonce=nonce,
            check=check,
        )
    )


def wrong_with(answer: Judgement, parts: Sequence[Part], policy: Policy | None) -> str | None:
    """Say what is wrong with an answer about `parts`, if anything is."""
    ids = {part.id for part in parts}
    own = sorted(policy.own_categories) if policy else []
    if not ids.issuperset(answer.parts):
        return "`parts` names an id that is not among the parts."
    if sorted(each.name for each in answer.own) != own:
        return f"`own` must have one entry for each of {json.dumps(own)}." if own else "`own` must be an empty list."
    if any(opinion.severity > 0 and opinion.place not in ids for _, opinion in _opinions(answer)):
        return "`place` must be the id of one of the parts wherever the severity is above 0."
    return None


# --- What is asked, and what is known already --------------------------------------------------------------------------------


async def judge(
    intake: Intake,
    *,
    policy: ChannelPolicy,
    model: LanguageModel,
    bank: HashBank = NOTHING_KNOWN,
    memory: Memory = NO_MEMORY,
    earlier: Sequence[Part] = (),
    asker: Asker = ask,
) -> tuple[Report, tuple[Call, ...]]:
    """Report what a message contains, with one question over all parts that nobody knows yet, and what asking cost.

    Never raises for what the content is or what the model does: what was not judged is in `incomplete`.
    """
    known = await bank.match(intake.readings) if intake.readings else Known()
    intake, allowed = _without(known.allowed, intake)
    own = with_folded(_with_precedents(known, intake.parts))
    calls: tuple[Call, ...] = ()
    if not own:
        said = Report(coverage=Coverage(judged=0, total=0), prompt=fingerprint(policy.policy))
    else:
        before = _before(earlier, own)
        key = _key(own, before, policy=policy, model=model)

        async def ask_all() -> tuple[Report, tuple[Call, ...]]:
            return await _ask_all(own, before, policy=policy, model=model, asker=asker)

        said, calls = await memory.recall(key, ask_all)
    return _with_known(said, intake, denied=known.denied, allowed=allowed), calls


def _without(allowed: Iterable[Allowed], intake: Intake) -> tuple[Intake, int]:
    """Take out what a person has allowed; return the rest and how many parts that were.

    The same bytes are allowed with all that is in them, but not what they are called. The same pixels vouch for the one picture
    that was hashed: not for a file's other frames, nor for what is seen of it on another ground.
    """
    bytes_of = tuple(each.place for each in allowed if each.by == "sha256")
    pictures = {first.id for each in allowed if each.by == "pixels" if (first := _first_picture(each.place, intake.parts))}
    if not bytes_of and not pictures:
        return intake, 0

    def is_within(place: str) -> bool:
        return any(place == each or (place.startswith(f"{each}/") and place != f"{each}/name") for each in bytes_of)

    kept = tuple(part for part in intake.parts if part.id not in pictures and not is_within(part.id))
    rest = replace(
        intake,
        parts=kept,
        gaps=tuple(gap for gap in intake.gaps if not is_within(gap.place)),
        facts=tuple(fact for fact in intake.facts if fact.kind in OF_NAMES or not is_within(fact.place)),
    )
    return rest, len(intake.parts) - len(kept)


def _first_picture(place: str, parts: Sequence[Part]) -> ImagePart | None:
    member = f"{place}/member:"
    return next(
        (
            part
            for part in parts
            if isinstance(part, ImagePart)
            and (part.id == place or part.id.startswith(f"{place}/"))
            and not part.id.startswith(member)
        ),
        None,
    )


def _with_precedents(known: Known, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    notes = {first.id: note for place, note in known.precedents.items() if (first := _first_picture(place, parts))}
    return tuple(replace(part, note=_joined(part.note, notes[part.id])) if part.id in notes else part for part in parts)


def _joined(*notes: str) -> str:
    return "; ".join(filter(None, notes))


def _before(earlier: Sequence[Part], own: Sequence[Part]) -> tuple[Part, ...]:
    """Return what of `earlier` is not said again, so that copies by one author make the same question."""
    said = {_essence(part) for part in own}
    kept: list[Part] = []
    for part in earlier:
        if (essence := _essence(part)) not in said:
            said.add(essence)
            kept.append(part)
    return with_folded(tuple(kept))


def _essence(part: Part) -> str | bytes:
    return part.text if isinstance(part, TextPart) else part.data


def _key(own: Sequence[Part], before: Sequence[Part], *, policy: ChannelPolicy, model: LanguageModel) -> str:
    """Name the question: what is asked about, in which words, and of whom. When the earlier parts were sent is left out.

    Whether the bigger model is asked as well depends on the gates that hold in the channel.
    """
    asked_of = [model.profile("moderation")]
    if policy.policy.escalate:
        asked_of += [model.profile("escalation"), policy.fingerprint, policy.profile or ""]
    digest = hashlib.sha256(repr((fingerprint(policy.policy), *asked_of)).encode())
    for part in own:
        _digest(digest.update, part, part.id, part.note)
    for part in before:
        _digest(digest.update, part, EARLIER, "")
    return digest.hexdigest()


def _digest(update: Callable[[bytes], None], part: Part, id: str, note: str) -> None:
    data = part.text.encode("utf-8", "surrogatepass") if isinstance(part, TextPart) else part.data
    role = part.role if isinstance(part, TextPart) else part.media_type
    update(repr((id, role, note, len(data))).encode())
    update(data)


# --- Asking ------------------------------------------------------------------------------------------------------------------


async def _ask_all(
    own: tuple[Part, ...], before: tuple[Part, ...], *, policy: ChannelPolicy, model: LanguageModel, asker: Asker
) -> tuple[Report, tuple[Call, ...]]:
    """Ask about everything; what is severe but unsure is put to the bigger model too, within the time of one question."""
    until = time.monotonic() + limits.MODEL_TOTAL_S
    parts = (*before, *own)
    reply = await asker(parts, model=model, policy=policy.policy)
    first = answered(own, reply, policy.policy)
    left_s = until - time.monotonic()
    if not policy.policy.escalate or left_s < ESCALATION_LEAST_S or not _is_unsure(first, policy):
        return first, reply.calls
    try:
        async with asyncio.timeout(left_s) as deadline:
            bigger = await ask(parts, model=model, policy=policy.policy, task="escalation")
    except TimeoutError:
        if not deadline.expired():
            raise
        return first, reply.calls
    second = answered(own, bigger, policy.policy)
    calls = (*reply.calls, *bigger.calls)
    return (first.model_copy(update={"keep_copy": second.keep_copy}) if second.incomplete else second), calls


def _is_unsure(report: Report, policy: ChannelPolicy) -> bool:
    """Whether something severe was found in a complete answer, and more confidence would call for a stronger action."""
    return not report.incomplete and any(
        policy.action_for(each.model_copy(update={"confidence": 1.0})).strength > policy.action_for(each).strength
        for each in report.findings
        if each.severity >= 3
    )


def answered(parts: Sequence[Part], reply: Reply[Judgement], policy: Policy | None = None) -> Report:
    """State what a model found in `parts`, and which of them it did not look at. Earlier parts are never among them."""
    seen = set(reply.output.parts) if reply.output and reply.outcome == "ok" else set()
    missing = {part.id.removesuffix(FOLDED) for part in parts if part.id not in seen}
    places = {part.id.removesuffix(FOLDED) for part in parts}
    incomplete: tuple[Incomplete, ...] = ()
    if reply.outcome != "ok":
        incomplete = (_why_not(reply),)
    elif missing:
        why = f"The judge did not look at {len(missing)} of {len(places)} parts."
        incomplete = (Incomplete(cause="partial", why=why),)
    return Report(
        findings=tuple(_findings(reply.output)) if reply.output else (),
        coverage=Coverage(judged=len(places) - len(missing), total=len(places)),
        incomplete=incomplete,
        keep_copy=not (reply.outcome == "refused" and reply.reason in NO_COPY_REASONS),
        engine=reply.engine,
        prompt=fingerprint(policy),
    )


def _with_known(said: Report, intake: Intake, *, denied: tuple[Finding, ...], allowed: int) -> Report:
    """Add what needs no judge: what reading the files showed and could not open, and what people have decided before."""
    judged, total = said.coverage.judged + allowed, said.coverage.total + allowed + len(intake.gaps)
    incomplete = (*map(_unopened, intake.gaps), *said.incomplete)
    return said.model_copy(
        update={
            "findings": (*said.findings, *denied, *_facts(intake)),
            "coverage": Coverage(judged=judged, total=total),
            "incomplete": incomplete,
        }
    )


def _unopened(gap: Gap) -> Incomplete:
    return Incomplete(cause="partial" if gap.kind == "partial" else "unreadable", why=gap.why)


def _facts(intake: Intake) -> tuple[Finding, ...]:
    """Return what reading the files itself has shown, of which no judge needs to be asked."""
    return tuple(
        Finding(
            category=Category(fact.about),
            kind=fact.kind,
            severity=fact.severity,
            confidence=1,
            evidence=fact.says,
            place=fact.place,
        )
        for fact in intake.facts
        if fact.about != "note"
    )


def _findings(answer: Judgement) -> Iterable[Finding]:
    for category, opinion in _opinions(answer):
        if opinion.severity == 0 or (opinion.place.startswith(EARLIER) and category not in SPLIT):
            continue
        kind = opinion.kind.strip().lower()
        yield Finding(
            category=category,
            kind=kind if kind in KINDS.get(category, ()) else UNNAMED.get(category, ""),
            severity=opinion.severity,
            confidence=opinion.confidence,
            evidence=opinion.evidence[:EVIDENCE_CHARS],
            place=opinion.place,
        )


def _opinions(answer: Judgement) -> list[tuple[CategoryName, Opinion]]:
    ten: list[tuple[CategoryName, Opinion]] = [(name, opinion) for name, opinion in answer.categories]
    own: list[tuple[CategoryName, Opinion]] = [(OWN + opinion.name, opinion) for opinion in answer.own]
    return [*ten, (Category.TAMPERING.value, answer.tampering), *own]


def _why_not(reply: Reply[Judgement]) -> Incomplete:
    match reply.outcome:
        case "refused":
            return Incomplete(cause="judge_blocked", why="The model refuses to look at this content.")
        case "unavailable":
            return Incomplete(cause="judge_down", why="No model answered in time.")
        case "partial":
            return Incomplete(cause="partial", why="The model's answer was cut off.")
        case _:
            return Incomplete(cause="bad_answer", why="The model's answer could not be used.")
