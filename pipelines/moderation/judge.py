"""Ask a model what a message contains, and believe only an answer that is complete."""

from collections.abc import Sequence

from pydantic import BaseModel, Field

from pipelines.content import Intake, Part
from pipelines.moderation.known import NOTHING_KNOWN
from pipelines.moderation.memory import NO_MEMORY
from pipelines.moderation.policy import ChannelPolicy
from pipelines.moderation.report import Category, Coverage, Finding, Incomplete, Report
from pipelines.ports import Call, HashBank, LanguageModel, Memory, Question, Reply
from pipelines.questions import Prompt, fresh_nonce, prompt

EVIDENCE_CHARS = 120

# Vendors' reasons behind which may be content that nobody is allowed to keep a copy of.
NO_COPY_REASONS = {"PROHIBITED_CONTENT", "IMAGE_PROHIBITED_CONTENT"}


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


class Judgement(BaseModel):
    """The answer that the judge must give."""

    nonce: str
    parts: list[str]
    categories: Opinions
    tampering: Opinion


def instructions(nonce: str) -> Prompt:
    return prompt("moderation", nonce=nonce)


# The wording of the question, for verdicts; the nonce changes with every question and is not part of it.
FINGERPRINT = instructions("").fingerprint


async def judge(
    intake: Intake,
    *,
    policy: ChannelPolicy,
    model: LanguageModel,
    bank: HashBank = NOTHING_KNOWN,
    memory: Memory = NO_MEMORY,
    earlier: Sequence[Part] = (),
) -> tuple[Report, tuple[Call, ...]]:
    """Report what a message contains, with one question over all parts that nobody knows yet, and what asking cost.

    Never raises for what the content is or what the model does: what was not judged is in `incomplete`.
    """
    if not intake.parts:
        return report(intake, Reply(outcome="ok")), ()
    reply = await ask(intake.parts, model=model)
    return report(intake, reply), reply.calls


async def ask(parts: tuple[Part, ...], *, model: LanguageModel) -> Reply[Judgement]:
    """Put one question about some parts to a model."""
    nonce = fresh_nonce()
    known = {part.id for part in parts}

    def check(answer: Judgement) -> str | None:
        if answer.nonce != nonce:
            return "The nonce is not the one of this question."
        if not known.issuperset(answer.parts):
            return "`parts` names an id that is not among the parts."
        if any(opinion.severity > 0 and opinion.place not in known for _, opinion in _opinions(answer)):
            return "`place` must be the id of one of the parts wherever the severity is above 0."
        return None

    return await model.ask(
        Question(
            task="moderation",
            instructions=instructions(nonce).text,
            parts=parts,
            shape=Judgement,
            nonce=nonce,
            check=check,
        )
    )


def report(intake: Intake, reply: Reply[Judgement]) -> Report:
    """State what was found and what was not looked at."""
    total = len(intake.parts) + len(intake.gaps)
    judged = set(reply.output.parts) & {part.id for part in intake.parts} if reply.output else set()
    incomplete = [Incomplete(cause="partial" if gap.kind == "partial" else "unreadable", why=gap.why) for gap in intake.gaps]
    if intake.parts and reply.outcome != "ok":
        incomplete.append(_why_not(reply))
    elif len(judged) < len(intake.parts):
        missing = len(intake.parts) - len(judged)
        incomplete.append(Incomplete(cause="partial", why=f"The judge did not look at {missing} of {total} parts."))
    found = tuple(
        Finding(
            category=category,
            kind=opinion.kind.strip().lower(),
            severity=opinion.severity,
            confidence=opinion.confidence,
            evidence=opinion.evidence[:EVIDENCE_CHARS],
            place=opinion.place,
        )
        for category, opinion in (_opinions(reply.output) if reply.output else ())
        if opinion.severity > 0
    )
    return Report(
        findings=(*found, *_known(intake)),
        coverage=Coverage(judged=len(judged), total=total),
        incomplete=tuple(incomplete),
        keep_copy=not (reply.outcome == "refused" and reply.reason in NO_COPY_REASONS),
        engine=reply.engine,
        prompt=FINGERPRINT,
    )


def _known(intake: Intake) -> tuple[Finding, ...]:
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


def _opinions(answer: Judgement) -> list[tuple[Category, Opinion]]:
    ten: list[tuple[Category, Opinion]] = [(Category(name), opinion) for name, opinion in answer.categories]
    return [*ten, (Category.TAMPERING, answer.tampering)]


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
