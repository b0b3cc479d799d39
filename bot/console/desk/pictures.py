"""The pictures of a case. Blurred they are thumbnails from which nothing can be told; clear ones are shown on demand alone.

Whoever wants to see one asks for it, and the audit names them. What nobody may keep is shown to nobody.
"""

import asyncio
import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from aiohttp import web

from bot.console.access import SIGNED_IN, allow
from bot.console.desk.desk import ROOT, Desk, nothing_here, path_of, person_of, tenant_of
from bot.console.pictures import AT_ONCE, HEADERS
from handlers.cases import may_keep, posted_of
from handlers.events import Tenant
from handlers.ports.cases import Case, Link
from pipelines.content import Attachment
from pipelines.errors import UserError
from pipelines.limits import IMAGE_BYTES

BLURRED_SIDE_PX: Final = 16  # at 24 px a portrait's clothes and pose can be told
CLEAR_SIDE_PX: Final = 1024
REMEMBERED: Final = 2_000  # thumbnails, of less than 1 kB each
REVEALED_FOR_S: Final = 60.0
REVEALED_AT_ONCE: Final = 100
PAUSE_FROM: Final = 10  # pictures that one sign-in has looked at

NO_PREVIEW: Final = "There is no preview of this file. Look at it where it was posted."


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealed:
    """A clear picture of a case, for one sign-in until a moment of the clock."""

    case: str
    sign_in: str
    until: float
    data: bytes = field(repr=False)


class CasePictures:
    """Serves the pictures of cases: what the media workers drew, for nothing that a member sent is served itself."""

    def __init__(self, desk: Desk, *, clock: Callable[[], float] = monotonic) -> None:
        self._desk = desk
        self._clock = clock
        self._blurred: OrderedDict[tuple[Tenant, str, int], bytes] = OrderedDict()
        self._revealed: OrderedDict[str, Revealed] = OrderedDict()
        self._looked: Counter[str] = Counter()
        self._drawing = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{ROOT}/cases/{{id}}/pictures/{{number:\\d{{1,2}}}}/blurred", self.blurred),
            web.post(f"{ROOT}/cases/{{id}}/pictures/{{number:\\d{{1,2}}}}/reveal", self.reveal),
            web.get(f"{ROOT}/revealed/{{token}}", self.revealed),
        ]

    @allow("moderator")
    async def blurred(self, request: web.Request) -> web.Response:
        """Answer with a thumbnail of at most 1 kB; 204 where there cannot be one, 404 where nobody may see any.

        Raises: `Unavailable` when the platform or the media workers do not answer.
        """
        tenant, number = tenant_of(request), int(request.match_info["number"])
        case = await self._case(tenant, request.match_info["id"])
        key = (tenant, case.id, number)
        if key not in self._blurred:
            async with self._drawing:
                drawn = await self._drawn(case, number, side_px=BLURRED_SIDE_PX, blurred=True)
            if drawn is None:  # not remembered: the message may just be on its way out, and its copy not there yet
                return web.Response(status=204)
            self._blurred[key] = drawn
            if len(self._blurred) > REMEMBERED:
                self._blurred.popitem(last=False)
        return web.Response(body=self._blurred[key], content_type="image/jpeg", headers=HEADERS)

    @allow("moderator")
    async def reveal(self, request: web.Request) -> web.Response:
        """Write down who looks at a picture, and answer with an address at which this sign-in sees it for a minute.

        Raises: `UserError` when there is no preview, `Unavailable` when the platform or the media workers do not answer.
        """
        tenant, number, who = tenant_of(request), int(request.match_info["number"]), request[SIGNED_IN]
        case = await self._case(tenant, request.match_info["id"])
        async with self._drawing:
            clear = await self._drawn(case, number, side_px=CLEAR_SIDE_PX)
        if clear is None:
            raise UserError(NO_PREVIEW)
        token = secrets.token_urlsafe(16)
        link = Link(
            key=f"revealed:{token}",
            kind="revealed",
            facts={"picture": number},
            case=case.id,
            subject=case.author.id,
            actor=person_of(request).id,
        )
        await self._desk.services.audit.record(tenant, link)
        self._forget_old()
        self._revealed[token] = Revealed(case=case.id, sign_in=who.hash, until=self._clock() + REVEALED_FOR_S, data=clear)
        self._looked[who.hash] += 1
        looked = self._looked[who.hash]
        url = path_of(tenant, "revealed", token)
        return web.json_response({"url": url, "looked": looked, "pause": looked >= PAUSE_FROM})

    @allow("moderator")
    async def revealed(self, request: web.Request) -> web.Response:
        """Answer with a clear picture to whoever revealed it, within the minute; else there is none."""
        found = self._revealed.get(request.match_info["token"])
        if found is None or found.sign_in != request[SIGNED_IN].hash or found.until <= self._clock():
            raise nothing_here()
        await self._case(tenant_of(request), found.case)  # somebody may have said meanwhile that nobody may keep it
        return web.Response(body=found.data, content_type="image/webp", headers=HEADERS)

    async def _case(self, tenant: Tenant, id: str) -> Case:
        case = await self._desk.services.cases.find(tenant, id)
        if case is None or not may_keep(case):
            raise nothing_here()
        return case

    async def _drawn(self, case: Case, number: int, *, side_px: int, blurred: bool = False) -> bytes | None:
        """Return what the media workers draw of a file, None where it is no picture or is gone."""
        try:
            posted = await posted_of(case, self._desk.services)
            files: tuple[Attachment, ...] = posted.content.attachments if posted else ()
            if number >= len(files):
                return None
            data = await self._desk.services.files.fetch(files[number], limit_bytes=IMAGE_BYTES)
            return await self._desk.services.media.preview(data, side_px=side_px, blurred=blurred)
        except UserError:
            return None

    def _forget_old(self) -> None:
        while self._revealed and (
            len(self._revealed) >= REVEALED_AT_ONCE or next(iter(self._revealed.values())).until <= self._clock()
        ):
            self._revealed.popitem(last=False)
