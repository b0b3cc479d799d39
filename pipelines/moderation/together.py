"""Ordinary texts, judged together or by chance, as the policy says, so that much talk costs little."""

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Final

from pydantic import BaseModel

from pipelines import limits
from pipelines.content import Content, Part
from pipelines.moderation.folding import folded
from pipelines.moderation.judge import Asker, Judgement, Opinion, Opinions, OwnOpinion, ask, instructions, wrong_with
from pipelines.moderation.policy import Policy
from pipelines.ports import Call, LanguageModel, Question, Reply
from pipelines.questions import fresh_nonce

ORDINARY_CHARS: Final = 400
JOINT_S: Final = limits.MODEL_TOTAL_S / 2  # so that there is time to ask about each message alone
# Anything that could be opened: `https://…`, `example.com`, `www.…`.
_LINK: Final = re.compile(r"://|\bwww\.|\w\.[^\W\d_]{2}", re.IGNORECASE)


class OfMessage(BaseModel):
    """What the judge says about one of several messages."""

    message: str
    parts: list[str]
    categories: Opinions
    tampering: Opinion
    own: list[OwnOpinion]


class Judgements(BaseModel):
    """The answer that the judge must give about several messages."""

    nonce: str
    judgements: list[OfMessage]


def is_ordinary(content: Content) -> bool:
    """Whether a message is plain talk: a short text with no file, no link and nothing disguised."""
    text = content.text
    plain = bool(text) and len(text) <= ORDINARY_CHARS and not content.attachments
    return plain and not _LINK.search(text) and folded(text) is None


def is_chosen(key: str, share: float) -> bool:
    """Whether the event `key` is among the `share` of ordinary texts that are judged: always the same answer for it."""
    drawn = int.from_bytes(hashlib.sha256(f"share:{key}".encode()).digest()[:8])
    return drawn < share * 2**64


@dataclass(eq=False)
class _Batch:
    messages: list[tuple[Part, ...]] = field(default_factory=list)
    is_full: asyncio.Event = field(default_factory=asyncio.Event)
    replies: asyncio.Task[Mapping[int, Reply[Judgement]]] | None = None


class Together:
    """Gathers the texts of different messages until there are enough of them or time is up, and asks one question about all.

    Only messages of one workspace and one policy meet. Whatever goes wrong with the joint question, each message is asked about
    alone.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[object, ...], _Batch] = {}

    def of(self, workspace: str) -> Asker:
        """Return how the messages of one workspace are asked about; it goes into `moderate`."""
        return partial(self._ask, workspace)

    async def _ask(
        self, workspace: str, parts: tuple[Part, ...], *, model: LanguageModel, policy: Policy | None = None
    ) -> Reply[Judgement]:
        if policy is None or policy.texts.together < 2:
            return await ask(parts, model=model, policy=policy)
        try:
            async with asyncio.timeout(limits.MODEL_TOTAL_S) as total:
                joint = await self._jointly((workspace, policy.fingerprint, id(model)), parts, model=model, policy=policy)
                if joint is not None and joint.outcome == "ok":
                    return joint
                alone = await ask(parts, model=model, policy=policy)
                return replace(alone, calls=((*joint.calls, *alone.calls) if joint else alone.calls))
        except TimeoutError:
            if not total.expired():
                raise
            return Reply(outcome="unavailable", reason="deadline")

    async def _jointly(
        self, key: tuple[object, ...], parts: tuple[Part, ...], *, model: LanguageModel, policy: Policy
    ) -> Reply[Judgement] | None:
        batch = self._open.get(key)
        if batch is None:
            batch = self._open[key] = _Batch()
            batch.replies = asyncio.create_task(self._gather(key, batch, model=model, policy=policy))
        position = len(batch.messages)
        batch.messages.append(parts)
        if len(batch.messages) >= policy.texts.together:
            self._open.pop(key, None)
            batch.is_full.set()
        assert batch.replies is not None
        # Nobody who goes away takes the others' answer along.
        return (await asyncio.shield(batch.replies)).get(position)

    async def _gather(
        self, key: tuple[object, ...], batch: _Batch, *, model: LanguageModel, policy: Policy
    ) -> Mapping[int, Reply[Judgement]]:
        try:
            async with asyncio.timeout(policy.texts.wait_s):
                await batch.is_full.wait()
        except TimeoutError:
            pass
        finally:
            if self._open.get(key) is batch:
                del self._open[key]
        if len(batch.messages) < 2:
            return {}
        try:
            async with asyncio.timeout(JOINT_S):
                return await ask_jointly(batch.messages, model=model, policy=policy)
        except TimeoutError:
            return {}


async def ask_jointly(
    messages: Sequence[tuple[Part, ...]], *, model: LanguageModel, policy: Policy
) -> Mapping[int, Reply[Judgement]]:
    """Put one question about several messages; return the reply to each by its position, the failed ones with their cost.

    What the question cost stands with the first message.
    """
    nonce = fresh_nonce()
    reply = await model.ask(
        Question(
            task="moderation",
            instructions=instructions("moderation_together", nonce=nonce, policy=policy).text,
            parts=tuple(replace(part, id=f"message:{at}/{part.id}") for at, parts in enumerate(messages) for part in parts),
            shape=Judgements,
            nonce=nonce,
            check=lambda answer: None if answer.nonce == nonce else "The nonce is not the one of this question.",
        )
    )
    answers = reply.output.judgements if reply.outcome == "ok" and reply.output else []
    replies: dict[int, Reply[Judgement]] = {}
    for at, parts in enumerate(messages):
        calls = reply.calls if at == 0 else tuple(map(_shared, reply.calls))
        said = [answer for answer in answers if answer.message == f"message:{at}"]
        judgement = _of_one(said[0], at, nonce) if len(said) == 1 else None
        if judgement and wrong_with(judgement, parts, policy) is None and set(judgement.parts) >= {part.id for part in parts}:
            replies[at] = Reply(outcome="ok", output=judgement, calls=calls)
        else:
            replies[at] = Reply(outcome="bad_answer", reason=reply.reason, calls=calls if at == 0 else ())
    return replies


def _of_one(answer: OfMessage, at: int, nonce: str) -> Judgement:
    """Return an answer about one message with the ids that its parts have alone. Those of other messages stay as they are."""
    prefix = f"message:{at}/"

    def own(opinion: Opinion) -> dict[str, object]:
        return {**opinion.model_dump(), "place": opinion.place.removeprefix(prefix)}

    return Judgement.model_validate(
        {
            "nonce": nonce,
            "parts": [id.removeprefix(prefix) for id in answer.parts],
            "categories": {name: own(opinion) for name, opinion in answer.categories},
            "tampering": own(answer.tampering),
            "own": [own(each) for each in answer.own],
        }
    )


def _shared(call: Call) -> Call:
    """Name who answered, without the cost, which is counted once."""
    return Call(model=call.model, outcome=call.outcome, note="together", requests=0, cost_usd=Decimal(0))
