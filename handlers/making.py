"""Having a wish made, as often as it takes, and what is said at the end."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import structlog

from handlers.answers import Alert, Answer, NotMade
from handlers.effects import AnyEffect, Card, Edit, Make, Plan, Post
from handlers.events import Tenant
from handlers.ports.generation import StoredJob, StoredWish
from handlers.ports.services import Services
from handlers.showing import (
    CANCELLED,
    CANCELLED_UNSPENT,
    GONE,
    LOOK_AGAIN,
    NO_MAKER,
    TRY_AGAIN,
    TRY_AGAIN_UNCLEAR,
    made_answer,
    made_files,
    not_made,
)
from handlers.studio import Say, Studio, Unmade
from pipelines.generation.failures import FailureKind, words_for
from pipelines.generation.turns import Unwanted

log = structlog.get_logger()

NOT_KNOWN_WHY: Final = "It is not shown."  # it was refused, and a crash has taken the words
UNCLEAR_SECOND: Final = (
    "What fitted badly was asked for once more, and the connection broke off: that second attempt may have been charged as"
    " well."
)
NOT_LOOKED_OVER: Final = (
    "It was made and may have been charged, but it could not be looked over, so it is not shown. It is kept."
)
MAY_BE_CHARGED: Final = "What was begun may still be charged."
# What would end in the same way once more.
NOT_REPEATED: Final[frozenset[FailureKind]] = frozenset({"credits", "auth", "bad_request", "validation", "withheld"})


async def make_wish(effect: Make, services: Services, say: Say) -> Plan:
    """Have a wish made as far as it is not, and return what is to be said then. It may be called again at any time.

    Raises: `Unavailable` when it has to be put off.
    """
    async with services.turns.alone(effect.wish):
        return await _make_alone(effect, services, say)


async def _make_alone(effect: Make, services: Services, say: Say) -> Plan:
    tenant = effect.place.tenant
    wish = await services.wishes.find(tenant, effect.wish)
    message = effect.message or await services.cases.shown(tenant, effect.post) or ""
    if wish is None:
        return _said(effect, message, NotMade(id=effect.wish, text=GONE))
    if wish.state == "begun" and services.generator is None:
        await services.wishes.set_state(tenant, wish.id, become="failed", of=frozenset({"begun"}), event=effect.key)
        return _said(effect, message, not_made(wish, NO_MAKER))
    failures: dict[int, Unmade] = {}
    if wish.state == "begun" and services.generator is not None:
        studio = Studio(wish=wish, message=message, services=services, generator=services.generator, say=say)
        try:
            things, failures = await studio.make_all()
        except Unwanted:
            wish = replace(wish, state="cancelled")
        else:
            await services.wishes.finish(tenant, wish.id, things, cost_usd=await studio.cost())
            wish = await services.wishes.find(tenant, wish.id)
    services.turns.forget(effect.wish)
    if wish is None:
        return _said(effect, message, NotMade(id=effect.wish, text=GONE))
    return await _ended(effect, message, wish, failures, services)


async def _ended(effect: Make, message: str, wish: StoredWish, failures: dict[int, Unmade], services: Services) -> Plan:
    """Return what is said about a wish that is worked on no more."""
    tenant = effect.place.tenant
    jobs = await services.jobs.of_wish(tenant, wish.id)
    await _drop(tenant, wish, services)
    if wish.state == "cancelled":
        await services.wishes.drop_files(tenant, wish.id, apart_from=frozenset())
        return _said(effect, message, not_made(wish, CANCELLED if jobs else CANCELLED_UNSPENT))
    known = _last_failures(jobs)  # all that is left of why, after a crash
    missing = [at for at in range(1, wish.wish.count + 1) if at not in {each.position for each in wish.made}]
    unmade = {at: failures.get(at) or known.get(at) or Unmade(says=NOT_KNOWN_WHY) for at in missing}
    reasons = list(dict.fromkeys(each.says for each in unmade.values()))
    if any(each.state == "unclear" and _position(each) not in unmade for each in _of_this_time(jobs, wish)):
        reasons.append(UNCLEAR_SECOND)
    kinds = {each.kind for each in unmade.values() if each.kind}
    told = _for_operator(effect, kinds)
    keys = frozenset(f"{wish.id}:{each.position}:{each.attempt}" for each in wish.made)
    await services.wishes.drop_files(tenant, wish.id, apart_from=keys)
    if not wish.made:
        again = TRY_AGAIN_UNCLEAR if "unclear" in kinds else TRY_AGAIN
        answer = not_made(wish, " ".join(reasons), buttons=(again,) if kinds - NOT_REPEATED else ())
        return Plan(effects=(*_said(effect, message, answer).effects, *told))
    generator = services.generator
    once_more = sum(1 for each in unmade.values() if each.kind and each.kind not in NOT_REPEATED)
    answer_made = made_answer(wish, reasons=reasons, generator=generator, elapsed_s=_elapsed_s(wish), missing=once_more)
    files = made_files(wish)
    said: AnyEffect
    if message:
        said = Edit(key=f"{effect.key}#made", place=effect.place, message=message, answer=answer_made, files=files)
    else:
        said = Post(key=f"{effect.key}#made", place=effect.place, answer=answer_made, files=files)
    return Plan(effects=(said, *told))


async def made_nothing(effect: Make, why: str, services: Services) -> tuple[AnyEffect, ...]:
    """Return what is said where making failed for good, by our fault or since nobody has answered for a day.

    What was made by then, and only waits to be looked over, is kept: it is paid for.
    """
    tenant = effect.place.tenant
    message = effect.message or await services.cases.shown(tenant, effect.post) or ""
    wish = await services.wishes.find(tenant, effect.wish)
    services.turns.forget(effect.wish)
    if wish is None:
        return _said(effect, message, NotMade(id=effect.wish, text=f"It could not be made. {why}")).effects
    if wish.state in ("made", "cancelled"):  # only its last word was not said
        return (await _ended(effect, message, wish, {}, services)).effects
    await services.wishes.set_state(tenant, wish.id, become="failed", of=frozenset({"begun"}), event=f"{effect.key}#failed")
    await _drop(tenant, wish, services)
    jobs = _of_this_time(await services.jobs.of_wish(tenant, wish.id), wish)
    if any(each.state == "fetched" for each in jobs):
        text, button = f"{NOT_LOOKED_OVER} {why}", LOOK_AGAIN
    elif any(each.state in ("unclear", "dropped") for each in jobs):
        text, button = f"It could not be made. {why} {MAY_BE_CHARGED}", TRY_AGAIN_UNCLEAR
    else:
        text, button = f"It could not be made. {why}", TRY_AGAIN
    if button is not LOOK_AGAIN:
        await services.wishes.drop_files(tenant, wish.id, apart_from=frozenset())
    return _said(effect, message, not_made(wish, text, buttons=(button,))).effects


def _said(effect: Make, message: str, answer: Answer) -> Plan:
    """Return the plan to say something where the wish stands."""
    if message:
        return Plan(effects=(Edit(key=f"{effect.key}#end", place=effect.place, message=message, answer=answer),))
    return Plan(effects=(Post(key=f"{effect.key}#end", place=effect.place, answer=answer),))


def _for_operator(effect: Make, kinds: set[FailureKind]) -> tuple[AnyEffect, ...]:
    """Return what moderators are told, once a day, of what only the operator can mend."""
    for kind in kinds & {"credits", "auth"}:
        log.error("generation.needs_operator", kind=kind)
        text = (
            "ModelsLab says that there is no credit left. Add some at https://modelslab.com, or lower [budget]."
            if kind == "credits"
            else "ModelsLab does not accept MODELSLAB_API_KEY. Run flashbulb doctor."
        )
        key = f"generation:{kind}:{datetime.now(UTC):%Y-%m-%d}"
        return (Card(key=key, place=effect.place, answer=Alert(title="Nothing can be made", text=text)),)
    return ()


async def _drop(tenant: Tenant, wish: StoredWish, services: Services) -> None:
    """Have nobody wait for the jobs of a wish any more; they hold their slots until they have ended, or for a while."""
    for each in await services.jobs.of_wish(tenant, wish.id):
        match each.state:
            case "running":
                await services.jobs.update(tenant, each.key, state="dropped")
            case "submitting":  # by a process that has died
                cost = wish.price_usd
                await services.jobs.update(tenant, each.key, state="unclear", failure="unclear", cost_usd=cost)


def _of_this_time(jobs: tuple[StoredJob, ...], wish: StoredWish) -> tuple[StoredJob, ...]:
    """Return the jobs since a wish was begun, be it once more."""
    return tuple(each for each in jobs if int(each.key.rpartition(":")[2]) >= wish.first_attempt)


def _position(job: StoredJob) -> int:
    return int(job.key.split(":")[1])


def _last_failures(jobs: tuple[StoredJob, ...]) -> dict[int, Unmade]:
    """Return what became of the last attempt at each thing, where that failed."""
    last = {_position(each): each for each in jobs}  # they come by attempt
    kinds: dict[int, FailureKind] = {at: each.failure for at, each in last.items() if each.failure}  # type: ignore[misc]  # ours
    return {at: Unmade(says=words_for(kind), kind=kind) for at, kind in kinds.items()}


def _elapsed_s(wish: StoredWish) -> int:
    return int((datetime.now(UTC) - wish.begun_at).total_seconds()) if wish.begun_at else 0
