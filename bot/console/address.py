"""Where the console listens, and the address at which people reach it."""

import errno
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.settings import Settings
from pipelines.errors import Misconfigured

# The port that browsers leave out of Host and Origin.
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen (`host`, `port`) and the address to print and to trust (`url`, without a slash at its end).

    What a request claims about itself never adds to the trusted hosts and origins: a foreign name that was made to resolve to
    this machine would claim the same.
    """

    host: str
    port: int
    url: str

    @property
    def hosts(self) -> frozenset[str]:
        """Return the values of the Host header that mean us, in lower case."""
        given = urlsplit(self.url)
        port = given.port or DEFAULT_PORTS[given.scheme]
        ours = {f"{_bracketed(given.hostname or '')}:{port}", given.netloc.lower()}
        return frozenset(ours | {f"{name}:{self.port}" for name in ("127.0.0.1", "localhost", "[::1]")})

    @property
    def origins(self) -> frozenset[str]:
        """Return the values of the Origin header that our own pages send, in lower case."""
        given = urlsplit(self.url)
        name = _bracketed(given.hostname or "")
        default = given.port in {None, DEFAULT_PORTS[given.scheme]}
        public = f"{given.scheme}://{name}" if default else f"{given.scheme}://{name}:{given.port}"
        return frozenset({public} | {f"http://{each}:{self.port}" for each in ("127.0.0.1", "localhost", "[::1]")})

    @property
    def secure(self) -> bool:
        return self.url.startswith("https:")

    @property
    def cookie(self) -> str:
        """Return the cookie's name. Cookies ignore ports, so on plain http the name carries it."""
        if self.secure:
            return "__Host-flashbulb"
        return f"flashbulb_{urlsplit(self.url).port or DEFAULT_PORTS['http']}"


def bind(settings: Settings) -> tuple[Address, socket.socket]:
    """Take the console's port, before anything that needs its number is built; port 0 takes any free one.

    Raises: `Misconfigured` when the port is taken, when others could reach it without https, or when `FLASHBULB_URL` is wrong.
    """
    host = settings.flashbulb_host
    url = None if settings.flashbulb_url is None else _checked(settings.flashbulb_url)
    if url is None and not _is_loopback(host):
        raise Misconfigured(
            "FLASHBULB_HOST lets other machines reach the console, so FLASHBULB_URL must say at which address they do, "
            "such as FLASHBULB_URL=https://flashbulb.example.org. To keep it to this machine, set FLASHBULB_HOST=127.0.0.1."
        )
    bound = _listen(host, settings.flashbulb_port)
    port = bound.getsockname()[1]
    return Address(host=host, port=port, url=url or f"http://{_bracketed(host)}:{port}"), bound


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Misconfigured(
                f"Port {port} is taken, perhaps by another Flashbulb. Stop it, or choose another one, such as "
                f"FLASHBULB_PORT={port + 1 if port < 65535 else 8321}."
            ) from error
        if error.errno in {errno.EACCES, errno.EPERM}:
            raise Misconfigured(
                f"FLASHBULB_PORT={port} needs rights that we lack. Use one above 1023, such as 8321."
            ) from error
        raise Misconfigured(
            "FLASHBULB_HOST is not an address of this machine. Use 127.0.0.1, or 0.0.0.0 behind a proxy that speaks https."
        ) from error


def _checked(url: str) -> str:
    try:
        given = urlsplit(url)
        known = given.scheme in DEFAULT_PORTS and given.hostname and given.port != 0 and "@" not in given.netloc
    except ValueError:
        known = False
    if not known or given.path not in {"", "/"} or given.query or given.fragment:
        raise Misconfigured(
            "FLASHBULB_URL must be an address without a path, such as https://flashbulb.example.org or http://127.0.0.1:8321."
        )
    if given.scheme == "http" and not _is_loopback(given.hostname or ""):
        raise Misconfigured(
            "FLASHBULB_URL must begin with https:// since sign-ins would travel in the clear: put a proxy that speaks https in "
            "front, or keep the console to this machine with FLASHBULB_URL=http://127.0.0.1:8321."
        )
    return f"{given.scheme}://{given.netloc.lower()}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
