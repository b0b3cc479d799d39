"""What is looked at before something is made, and once it is: judged by the policy, and compared with what was wished for."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import structlog

from pipelines import limits
from pipelines.content import Attachment, AudioPart, Content, ImagePart, Intake, TextPart
from pipelines.errors import BadAnswer, FlashbulbError, Refused, Unavailable
from pipelines.generation.brief import folded, unfolded, with_avoided
from pipelines.generation.failures import GenerationFailed
from pipelines.generation.make import Checked
from pipelines.generation.permission import Permission, permission
from pipelines.generation.quality import Quality, compare, is_poor
from pipelines.generation.wish import WORDLESS, Brief, MediaKind, Wish, is_thought_through
from pipelines.limits import MADE_BYTES
from pipelines.moderation.known import NOTHING_KNOWN
from pipelines.moderation.moderate import moderate
from pipelines.moderation.policy import ChannelPolicy
from pipelines.moderation.verdict import Verdict
from pipelines.ports import Call, HashBank, LanguageModel, Media
from pipelines.tagging import ALT_TEXT_CHARS, cut, plain_alt_text

log = structlog.get_logger()

# What the bytes must be, by what was asked for: how their true media type begins.
FITTING: Final[dict[MediaKind, tuple[str, ...]]] = {
    "image": ("image/",),
    "video": ("video/", "image/"),  # some makers send an animation
    "music": ("audio/",),
    "voice": ("audio/",),
}

# Hears what asking cost: about which prompt or result, for which task.
About = Literal["result", "better prompt"]
Spent = Callable[[About, str, Sequence[Call]], Awaitable[None]]


async def spent_unnoticed(about: About, task: str, calls: Sequence[Call]) -> None:
    """Keep no account of what asking cost."""


async def without_hidden_colours(media: Media, data: bytes) -> bytes:
    """Return a cut-out without what it keeps under full transparency: nobody sees it, and it would be found to be hidden."""
    try:
        return (await media.original(data, side_px=limits.LONGEST_SIDE_PX, size_bytes=MADE_BYTES)).data
    except FlashbulbError:
        return data  # what it is shows when it is read


def wish_intake(wish: Wish, brief: Brief, source: Intake | None) -> Intake:
    """Return what is judged before anything is spent: the wish, what became of it, and its picture. It may be nothing.

    What shall not be seen is told with the words that it belongs to: alone it reads like what is wished for.
    """
    told = (with_avoided(wish.text.strip(), wish.avoid), with_avoided(brief.prompt, brief.avoid))
    texts = dict.fromkeys(each for each in told if each)
    parts = tuple(TextPart(id=f"text:{at}", text=text, role="message") for at, text in enumerate(texts))
    found = source or Intake()
    return replace(found, parts=(*parts, *found.parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """What it takes to look over the results of one wish.

    `of_somebody`: it begins with a picture that somebody posted, so that a real person may be in it.
    """

    wish: Wish
    brief: Brief
    policy: ChannelPolicy
    of_somebody: bool
    media: Media
    model: LanguageModel
    bank: HashBank = NOTHING_KNOWN
    spent: Spent = spent_unnoticed

    async def check(self, made: Attachment, *, attempt: int, prompt: str) -> Checked:
        """Judge a result and compare it with the wish, and with the prompt that it was made from.

        Raises: `GenerationFailed` where there is nothing to be judged, `Unavailable` where no model judges it now.
        """
        intake, media_type = await self._read(made)
        calls: list[Call] = []
        asking = asyncio.ensure_future(self._compared(made, intake, prompt, calls))
        try:
            # What is said in it is judged as well, so that has to be known first.
            quality = await asking if any(isinstance(part, AudioPart) for part in intake.parts) else None
            if quality and quality.transcript.strip():
                said = TextPart(id="text:0", text=quality.transcript, role="message", note="what is said in it")
                intake = replace(intake, parts=(said, *intake.parts))
            verdict, asked = await moderate(intake, policy=self.policy, model=self.model, bank=self.bank)
            quality = await asking
        finally:
            asking.cancel()  # it is not to go on, unheard and uncounted, when this is left early
        await self.spent("result", "moderation", asked)
        await self.spent("result", "quality", calls)
        if verdict.waits_for_model:
            raise Unavailable("The model", "does not answer")  # it is paid for, and is never shown unjudged
        allowed = self._allowed(verdict, made=True)
        if allowed.refusal:
            return Checked(attempt=attempt, refusal=allowed.refusal)
        return Checked(
            attempt=attempt,
            media_type=media_type,
            score=quality.score if quality else None,
            better_prompt=await self._better(quality, prompt),
            alt_text=quality.alt_text if quality else self._alt_text,
            caption=quality.caption if quality else "",
            missing="; ".join(each for each in (quality.missing, quality.broken) if each) if quality else "",
            adults_only=allowed.adults_only,
        )

    async def _read(self, made: Attachment) -> tuple[Intake, str]:
        """Return what a result holds, made ready to look at, and what it is. Raises: `GenerationFailed`."""
        intake = await self.media.intake(Content(attachments=(made,)), file_bytes=MADE_BYTES)
        whole = next((each for each in intake.readings if each.place == "file:0"), None)
        seen = tuple(part for part in intake.parts if part.id != "file:0/name")  # that name is ours
        shows = any(isinstance(part, ImagePart | AudioPart) for part in seen)
        if not shows or whole is None or whole.status != "ok" or not whole.media_type.startswith(FITTING[self.wish.kind]):
            raise GenerationFailed("bad_response")
        return replace(intake, parts=seen), whole.media_type

    async def _compared(self, made: Attachment, intake: Intake, prompt: str, calls: list[Call]) -> Quality | None:
        """Return how well a result fits; None where no model says so, which keeps nobody from seeing it."""
        brief = self.brief.model_copy(update={"prompt": prompt})
        try:
            return await compare(brief, self.wish, intake, model=self.model, calls=calls)
        except (Unavailable, Refused, BadAnswer) as error:
            log.info("generation.not_compared", job=made.id, error=type(error).__name__)
            return None

    async def _better(self, quality: Quality | None, prompt: str) -> str:
        """Return the prompt to try instead of one that led to a poor result, judged as the first one was; else nothing.

        What was given as it is stays as it is: only its seed will be another one.
        """
        if quality is None or not is_poor(quality) or self.wish.operation in WORDLESS or self.wish.kind == "voice":
            return ""
        avoid = self.brief.avoid
        before = unfolded(prompt, avoid)
        better = unfolded(quality.repaired_prompt.strip(), avoid)
        if self.wish.as_written or not better:
            return prompt
        text = Intake(parts=(TextPart(id="text:0", text=with_avoided(better, avoid), role="message"),))
        verdict, calls = await moderate(text, policy=self.policy, model=self.model)
        await self.spent("better prompt", "moderation", calls)
        if self._allowed(verdict).refusal:
            return ""
        return folded(better, avoid) if prompt != before else better

    def _allowed(self, verdict: Verdict, *, made: bool = False) -> Permission:
        through = is_thought_through(self.wish, self.brief)
        return permission(verdict, self.policy, of_somebody=self.of_somebody, thought_through=through, made=made)

    @property
    def _alt_text(self) -> str:
        """Return what stands for an alt text where no model looked at a result: what it was to be."""
        words = self.brief.subject or self.brief.prompt or self.wish.text or "What was asked for"
        return cut(plain_alt_text(words), ALT_TEXT_CHARS)
