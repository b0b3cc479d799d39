"""The page of one case: what was posted, what was found, what people did about it, and what can be done now."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from mimetypes import guess_type
from typing import Final, Literal

from aiohttp import web
from markupsafe import Markup

from bot.console.access import SIGNED_IN, allow, desk_topic
from bot.console.desk.cards import TOP_FILE, Shown, channel_names, claimed_by, shown
from bot.console.desk.desk import ROOT, Desk, html, nothing_here, path_of, person_of, tenant_of
from bot.storage.tables import now
from bot.words import called_for_in_words, coverage_in_words, engine_in_words, notes_of_case, said
from handlers.answers import CaseFile
from handlers.casebook import case_file
from handlers.cases import may_keep
from handlers.events import Tenant
from handlers.ports.cases import Case, CaseFilter
from handlers.review import decided_in_words, is_own

CLAIMED_FOR: Final = timedelta(minutes=10)
EARLIER: Final = 5  # cases of the same author beside this one
NOBODY: Final = "Nobody has decided yet: it was done by itself."
AHEAD: Final = 100  # cases among which the next one is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class FileShown:
    """A file of a message. `kind`: as what it may be looked at, empty where it has no preview."""

    number: int
    name: str
    kind: Literal["picture", "clip", ""]


@dataclass(frozen=True, slots=True)
class CaseDetails:
    """The page of a case, the part of it that changes, who looks at it, and which case comes next."""

    desk: Desk

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{ROOT}/cases/{{id}}", self.show),
            web.get(f"{ROOT}/parts/cases/{{id}}", self.part),
            web.get(f"{ROOT}/cases/{{id}}/next", self.next),
            web.post(f"{ROOT}/cases/{{id}}/claim", self.claim),
            web.post(f"{ROOT}/cases/{{id}}/release", self.release),
        ]

    @allow("moderator")
    async def show(self, request: web.Request) -> web.Response:
        tenant, since = tenant_of(request), self.desk.live.since
        case = await self._case(request)
        return self.desk.page(
            request,
            "desk/case_page.html",
            place="cases",
            since=since,
            topics=[desk_topic(tenant)],
            case=case,
            part=await self._part(request, case),
        )

    @allow("moderator")
    async def part(self, request: web.Request) -> web.Response:
        """Answer with what the page shows of a case, for whoever asks."""
        return html(await self._part(request, await self._case(request)))

    @allow("moderator")
    async def next(self, request: web.Request) -> web.Response:
        """Answer with the id of the case that waits after this one (or, with `?back`, before it) and at which nobody looks.

        From a case that waits no longer, the first one comes next.
        """
        tenant, id = tenant_of(request), request.match_info["id"]
        waiting = (await self.desk.services.cases.page(tenant, CaseFilter(waiting=True), limit=AHEAD)).cases
        at = next((place for place, case in enumerate(waiting) if case.id == id), None)
        if "back" in request.query:
            row = () if at is None else waiting[:at][::-1]
        else:
            row = waiting if at is None else (*waiting[at + 1 :], *waiting[:at])
        moment, me = now(), person_of(request).id
        free = (case.id for case in row if case.claimed_by == me or not claimed_by(case, moment))
        return web.json_response({"id": next(free, None), "waiting": len(waiting)})

    @allow("moderator")
    async def claim(self, request: web.Request) -> web.Response:
        """Have others see that somebody looks at this case, for ten minutes. Answers with who does: the first one."""
        case = await self.desk.services.cases.claim(
            tenant_of(request), request.match_info["id"], by=person_of(request), until=now() + CLAIMED_FOR
        )
        return web.json_response({"mine": case.claimed_by == person_of(request).id, "by": claimed_by(case, now())})

    @allow("moderator")
    async def release(self, request: web.Request) -> web.Response:
        """Let go of a case: it is looked at no longer."""
        await self.desk.services.cases.claim(tenant_of(request), request.match_info["id"], by=person_of(request), until=None)
        return web.json_response({})

    async def _case(self, request: web.Request) -> Case:
        case = await self.desk.services.cases.find(tenant_of(request), request.match_info["id"])
        if case is None:
            raise nothing_here()
        return case

    async def _part(self, request: web.Request, case: Case) -> Markup:
        tenant, me = tenant_of(request), request[SIGNED_IN]
        file, names, earlier = await asyncio.gather(
            case_file(case, self.desk.services),
            channel_names(self.desk, [case.place]),
            self._earlier(tenant, case),
        )
        each, card = shown(self.desk, case, channel=names[case.place.channel]), file.card
        return self.desk.fragment(
            "desk/case.html",
            each=each,
            case=case,
            card=card,
            file=file,
            files=files_of(case, file) if may_keep(case) else (),
            keeps=may_keep(case),
            findings=[said(finding) for finding in card.findings],
            notes=tuple(notes_of_case(card)),
            called_for=called_for_in_words(card),
            coverage=coverage_in_words(card.judged, card.total),
            engine=engine_in_words(card.engine),
            verdict=case.verdict,
            mine=case.claimed_by == me.person.id,
            own=is_own(case, me.person),
            first=f"{case.decided_by or 'Somebody'} {decided_in_words(case)}." if not case.undecided else NOBODY,
            earlier=earlier,
            author=path_of(tenant, "authors", case.author.id),
            elsewhere=address_of(case),
            desk=path_of(tenant),
        )

    async def _earlier(self, tenant: Tenant, case: Case) -> list[Shown]:
        """Return other cases about what this author wrote."""
        page = await self.desk.services.cases.page(tenant, CaseFilter(author=case.author.id), limit=EARLIER + 1)
        return [shown(self.desk, each, channel=each.place.channel) for each in page.cases if each.id != case.id][:EARLIER]


def files_of(case: Case, file: CaseFile) -> list[FileShown]:
    """Return the files of a message. What they are is known of those that were read; of the others, their names claim it."""
    pictures = {int(match[1]) for each in case.known_by if each.picture and (match := TOP_FILE.match(each.place))}
    shown = []
    for number, name in enumerate(file.files):
        claimed = guess_type(name)[0] or ""
        picture = number in pictures or claimed.startswith("image/")
        kind: Literal["picture", "clip", ""] = "picture" if picture else "clip" if claimed.startswith("video/") else ""
        shown.append(FileShown(number=number, name=name, kind=kind))
    return shown


def address_of(case: Case) -> tuple[str, str] | None:
    """Return where the message of a case stands on its platform, and what that is called; None where there is no such address.

    Sources: https://docs.discord.com/developers/reference for Discord; Slack's leads to the channel
    (https://docs.slack.dev/interactivity/deep-linking).
    """
    if case.gone:
        return None
    place = case.place
    match place.platform:
        case "console":
            return f"/channels/{place.channel}#m-{case.message}", "the chat"
        case "discord":
            return f"https://discord.com/channels/{place.workspace}/{place.channel}/{case.message}", "Discord"
        case "slack":
            return f"https://slack.com/app_redirect?team={place.workspace}&channel={place.channel}", "Slack"
        case _:
            return None
