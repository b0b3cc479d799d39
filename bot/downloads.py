"""Files of a platform, fetched so that whoever announced them can neither reach into our network nor hold us up."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

from aiohttp import (
    AddrInfoType,
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    InvalidURL,
    TCPConnector,
)
from aiohttp import ClientResponse as Response
from yarl import URL

from bot.settings import is_loopback
from pipelines.errors import Gone, Unavailable, UserError

# From asking to the last byte: 50 MB (pipelines.limits.FILE_BYTES) at 10 Mbit/s. A file that drips in is given up.
TOTAL_S: Final = 40.0
CONNECT_S: Final = 5.0
# A hiccup of the host must not make a message one that could not be judged.
PAUSES_S: Final = (0.2, 1.0)
PIECE_BYTES: Final = 64 * 1024
HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
SERVICE: Final = "The server of this file"
ELSEWHERE: Final = "This file lies where Flashbulb does not fetch from."

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})

# IPv6 addresses that stand for an IPv4 address in their last 32 bits. Source: https://www.rfc-editor.org/rfc/rfc6052
NAT64: Final = IPv6Network("64:ff9b::/96")


class Denied(UserError):
    """The file is not ours to read: by its host's word, or by ours about its host."""


class NotPublic(OSError):
    """A name led to an address that is none of the internet's."""


class Downloads:
    """Fetches files. `allowed` says which addresses may be asked at all, `headers` what is sent to each of them.

    `session` comes from `guarded_session`. At most `hops` redirects are followed, each to an address that is allowed itself.
    """

    def __init__(
        self,
        session: ClientSession,
        *,
        allowed: Callable[[URL], bool],
        headers: Callable[[URL], Mapping[str, str]] = lambda _: {},
        hops: int = 0,
        total_s: float = TOTAL_S,
    ) -> None:
        self._session = session
        self._allowed = allowed
        self._headers = headers
        self._hops = hops
        self._total_s = total_s

    async def fetch(self, url: str, *, limit_bytes: int, is_page: bool = False) -> bytes:
        """Return the bytes that lie at `url`. `is_page`: the file itself is a page of HTML.

        Raises: `Denied` when they are not for us (a redirect, a page in place of a file, 401, 403); `Gone` when there are
        none; another `UserError` when they are more than `limit_bytes`; `Unavailable` when the host fails, also when asked
        again.
        """
        try:
            async with asyncio.timeout(self._total_s):
                for pause_s in PAUSES_S:
                    try:
                        return await self._follow(_read(url), limit_bytes, is_page=is_page)
                    except Unavailable:
                        await asyncio.sleep(pause_s)
                return await self._follow(_read(url), limit_bytes, is_page=is_page)
        except TimeoutError as error:
            raise Unavailable(SERVICE, "is too slow") from error

    async def _follow(self, url: URL, limit_bytes: int, *, is_page: bool) -> bytes:
        for _ in range(self._hops + 1):
            if not self._allowed(url):
                raise Denied(ELSEWHERE)
            found = await self._ask(url, limit_bytes, is_page=is_page)
            if isinstance(found, bytes):
                return found
            url = found
        raise Denied("This address leads from one to the next and never to a file.")

    async def _ask(self, url: URL, limit_bytes: int, *, is_page: bool) -> bytes | URL:
        """Return the body, or the address that the host names in its place where redirects are followed at all."""
        timeout = ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=self._total_s)
        try:
            async with self._session.get(url, headers=self._headers(url), allow_redirects=False, timeout=timeout) as response:
                if self._hops and response.status in REDIRECTS:
                    return _next(url, response.headers.get("Location", ""))
                _check(response, is_page=is_page)
                return await _body(response, limit_bytes)
        except InvalidURL as error:
            raise Denied(ELSEWHERE) from error
        except ClientConnectorError as error:
            if isinstance(error.os_error, NotPublic):
                raise Denied(ELSEWHERE) from error
            raise Unavailable(SERVICE) from error
        except (ClientError, ConnectionError) as error:
            raise Unavailable(SERVICE, "broke off") from error


def guarded_session(api_url: str | None) -> ClientSession:
    """Return a session that connects to public addresses only, and to `api_url` where that is an emulator on this machine.

    The check is made on the address that is really connected to, whatever a name was resolved to before.
    """
    emulated = _ends_of(URL(api_url)) if api_url is not None and is_loopback(api_url) else frozenset()

    def open_socket(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, (host, port, *_) = info
        if (host, port) not in emulated and not is_public(str(host)):
            raise NotPublic("not a public address")
        return socket.socket(family, kind, protocol)

    return ClientSession(
        connector=TCPConnector(socket_factory=open_socket),
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,  # a small body must not unfold into a large one
        headers={"Accept-Encoding": "identity"},
    )


def is_public(host: str) -> bool:
    """Whether an IP address is one of the internet's, also where it wraps up another one."""
    address = ip_address(host)
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in NAT64:
            return is_public(str(ip_address(int(address) & 0xFFFF_FFFF)))
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not address.is_multicast


def _ends_of(url: URL) -> frozenset[tuple[str, int]]:
    names = ("127.0.0.1", "::1") if url.host == "localhost" else (url.host or "",)
    return frozenset((name, url.port or 80) for name in names)


def _read(url: str) -> URL:
    with suppress(ValueError):
        address = URL(url)
        if address.scheme in ("http", "https") and address.host and address.user is None:
            return address
    raise Denied(ELSEWHERE)


def _next(url: URL, location: str) -> URL:
    """Return the address that a redirect leads to. Raises: `Denied` when it is none."""
    try:
        return _read(str(url.join(URL(location))))
    except ValueError as error:
        raise Denied(ELSEWHERE) from error


def _check(response: Response, *, is_page: bool) -> None:
    """Raises: what `Downloads.fetch` raises, when this is no answer with a file."""
    status = response.status
    in_place_of_it = status == 200 and response.content_type in HTML and not is_page
    if status in (401, 403) or 300 <= status < 400 or in_place_of_it:
        raise Denied("Flashbulb may not read this file.")
    if status in (404, 410):
        raise Gone("This file is gone.")
    if status == 429 or status >= 500:
        raise Unavailable(SERVICE, f"fails ({status})")
    if status != 200 or response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UserError("This file cannot be fetched.")


async def _body(response: Response, limit_bytes: int) -> bytes:
    """Return the body. Raises: `UserError` as soon as it is known to be longer than `limit_bytes`."""
    read = bytearray()
    if (response.content_length or 0) <= limit_bytes:
        async for piece in response.content.iter_chunked(PIECE_BYTES):
            read += piece
            if len(read) > limit_bytes:
                break
        else:
            return bytes(read)
    response.close()  # the rest is not wanted
    raise UserError(f"This file is larger than {limit_bytes / 1_048_576:.3g} MB.")
