"""The file server: signed attachments, proxied pictures of links, avatars."""

from typing import TYPE_CHECKING

from aiohttp import web

from emulators.delivery import Reply, cut, drip, reset
from emulators.discord.faults import FAULTS
from emulators.discord.files import Kept
from emulators.discord.rest import Call

if TYPE_CHECKING:
    from emulators.discord.server import DiscordEmulator

METHOD = "GET /cdn"
DRIP_S = 0.05
HUGE_BYTES = 5 * 1024**3
PRIVATE_ADDRESS = "http://169.254.169.254/latest/meta-data"


async def on_fetch(emulator: "DiscordEmulator", request: web.Request) -> web.StreamResponse:
    """Answer `/cdn/…` and `/media/…`."""
    call = Call(method=METHOD, path=request.path, query=dict(request.query))
    emulator.note(call)
    if emulator.reached("arrived", call):
        return reset(request)
    kept = emulator.world.files.fetch(request.match_info["path"], request.query)
    name = emulator.switches.take("cdn", METHOD)
    response = await _send(request, kept, name)
    call.status = response.status
    emulator.changed()
    if emulator.reached("answered", call):
        return reset(request)
    return response


async def _send(request: web.Request, kept: Kept | None, fault: str | None) -> web.StreamResponse:
    if fault and (status := FAULTS[fault].status):
        return web.Response(status=status, text="This content is no longer available.")
    if kept is None:
        return web.Response(status=404, text="This content is no longer available.")
    reply = Reply(pieces=(kept.data,), media_type=kept.media_type.partition(";")[0])
    match fault:
        case "cdn_drip":
            return await drip(request, reply, every_s=DRIP_S)
        case "cdn_truncated":
            return await cut(request, reply)
        case "cdn_redirect_private":
            return web.Response(status=302, headers={"Location": PRIVATE_ADDRESS})
        case "cdn_huge_length":
            response = web.StreamResponse(headers={"Content-Type": kept.media_type, "Content-Length": str(HUGE_BYTES)})
            await response.prepare(request)
            await response.write(kept.data)
            if request.transport:
                request.transport.close()
            return response
        case "cdn_wrong_type":
            return web.Response(body=kept.data, content_type="text/html")
    return web.Response(body=kept.data, headers={"Content-Type": kept.media_type})
