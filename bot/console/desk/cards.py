"""A case as its card of the queue, for everyone who reviews: it knows neither who looks nor their token."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from markupsafe import Markup

from bot.console.desk.desk import Desk
from bot.storage.tables import now
from bot.words import Tone, one_line, said, standing_of_case, title_of_case, tone_of_case
from handlers.answers import CaseCard
from handlers.cases import card
from handlers.events import Place
from handlers.ports.cases import Case
from pipelines.errors import FlashbulbError

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
STRIKE_DAYS: Final = 30  # where the policy counts none
FINDINGS_SHOWN: Final = 3  # of a card in the queue; the case's page has all of them
TOP_FILE: Final = re.compile(r"file:(\d+)$")  # a file as it was posted, not one inside of another


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the template of a card needs.

    `picture`: the number of its first picture, None where there is none or nobody may keep one. `claimed`: who looks at it.
    """

    case: Case
    card: CaseCard
    tone: Tone
    title: str
    standing: str
    channel: str
    age: str
    findings: Sequence[dict[str, object]]
    picture: int | None
    claimed: str

    @property
    def waits(self) -> bool:
        """Whether a person has to look at it."""
        return self.card.undecided or self.card.appeal == "open"

    @property
    def buttons(self) -> tuple[tuple[str, str], ...]:
        """Return what decides it; what explains it stands on its page."""
        return tuple((name, label) for name, label in self.card.buttons if name != "why")


def shown(desk: Desk, case: Case, *, channel: str, strikes: int = 0, moment: datetime | None = None) -> Shown:
    """Return how the queue shows a case. `channel` is that channel's name."""
    seen = card(replace(case, strikes=strikes), desk.services.channels.supports(case.place.tenant))
    moment = moment or now()
    return Shown(
        case=case,
        card=seen,
        tone=tone_of_case(seen),
        title=title_of_case(seen),
        standing=standing_of_case(seen),
        channel=channel,
        age=age_in_words(case.at, moment),
        findings=[said(each) for each in seen.findings[:FINDINGS_SHOWN]],
        picture=first_picture(case) if seen.pictured else None,
        claimed=claimed_by(case, moment),
    )


def rendered(desk: Desk, each: Shown) -> Markup:
    return desk.fragment("desk/card.html", each=each)


async def cards_of(desk: Desk, cases: Sequence[Case]) -> list[Markup]:
    """Return the cards of some cases of one workspace, in their order."""
    channels = await channel_names(desk, [case.place for case in cases])
    strikes = await strikes_of(desk, cases)
    moment = now()
    return [
        rendered(desk, shown(desk, case, channel=channels[case.place.channel], strikes=count, moment=moment))
        for case, count in zip(cases, strikes, strict=True)
    ]


async def strikes_of(desk: Desk, cases: Sequence[Case]) -> list[int]:
    """Count, for each of some cases of one workspace, its author's messages that were removed of late: its own as well."""
    if not cases:
        return []
    tenant = cases[0].place.tenant
    rules = (await desk.services.policies.current(tenant)).policy.strikes
    days = rules.days if rules else STRIKE_DAYS
    counted = await desk.services.cases.strikes_of(tenant, {each.author.id for each in cases}, days=days)
    return [counted.get(each.author.id, 0) for each in cases]


async def channel_names(desk: Desk, places: Iterable[Place]) -> dict[str, str]:
    """Return the names of channels by id; the id itself where the platform does not tell."""
    asked = {place.channel: place for place in places}
    return dict(zip(asked, await asyncio.gather(*(_channel_name(desk, place) for place in asked.values())), strict=True))


async def _channel_name(desk: Desk, place: Place) -> str:
    try:
        return (await desk.services.channels.channel(place)).name or place.channel
    except FlashbulbError:
        return place.channel


def first_picture(case: Case) -> int | None:
    """Return the number of the first file of a message that is one picture, counted from 0."""
    found = (TOP_FILE.match(each.place) for each in case.known_by if each.picture)
    return next((int(match[1]) for match in found if match), None)


def claimed_by(case: Case, moment: datetime) -> str:
    """Return the name of who looks at a case now."""
    if not case.claimed_by or case.claimed_until is None or case.claimed_until <= moment:
        return ""
    return one_line(case.names.get(case.claimed_by, "") or "Somebody")


def age_in_words(at: datetime, moment: datetime) -> str:
    """Say how long ago something was, in the largest unit."""
    seconds = max(0, int((moment - at).total_seconds()))
    for size, unit in ((DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "just now"
