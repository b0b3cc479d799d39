"""A web application at a port of the loopback interface."""

import ipaddress
import socket

from aiohttp import web

SHUTDOWN_S = 1.0


class Site:
    """Serves an application while it is open. Raises: `ValueError` where `host` is not a loopback address."""

    def __init__(self, app: web.Application, *, host: str, port: int) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"An emulator serves this machine only; {host} is not a loopback address.")
        self._address = (host, port)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_S)

    @property
    def origin(self) -> str:
        host, port = self._address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def open(self) -> None:
        """Listen. Raises: `OSError` where the port is taken."""
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        door = socket.create_server(self._address, family=family)
        self._address = (self._address[0], door.getsockname()[1])
        await self._runner.setup()
        await web.SockSite(self._runner, door).start()

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        for connection in self._runner.server.connections if self._runner.server else ():
            connection.force_close()
        await self._runner.cleanup()
