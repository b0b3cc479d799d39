"""Templates to pages and fragments, and the address of our static files."""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Final

import jinja2
from aiohttp import web
from markupsafe import Markup

from bot.console.access import SIGNED_IN, desk_of
from bot.words import ITEMS_MAX, LINE_MAX, PICTURE_TEXT_MAX, cut, one_line, plain

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"
TEMPLATES: Final = HERE / "templates"
THEMES: Final = frozenset({"light", "dark"})
THEME_COOKIE: Final = "flashbulb_theme"


class Pages:
    """Renders our templates. Every value is escaped and turns no letters, and one that a template misses is an error.

    Templates shorten what others wrote by `cut` and `one_line`, to the limits that hold on all platforms.
    """

    def __init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            finalize=_unturned,
        )
        self._templates.globals |= {"static": self.static, "desk_of": desk_of}
        self._templates.globals |= {"ITEMS_MAX": ITEMS_MAX, "LINE_MAX": LINE_MAX, "PICTURE_TEXT_MAX": PICTURE_TEXT_MAX}
        self._templates.filters |= {"cut": cut, "one_line": one_line}

    @cached_property
    def static_folder(self) -> str:
        """Return the folder of this version's static files: it changes with any of them, so that they can be kept for ever."""
        digest = hashlib.sha256()
        for path in sorted(STATIC.iterdir()):
            digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
        return f"/static/{digest.hexdigest()[:16]}"

    def static(self, name: str) -> str:
        """Return the address of a static file; `static("base.css")` in templates."""
        return f"{self.static_folder}/{name}"

    def fragment(self, template: str, **values: object) -> str:
        """Render a part of a page. It may be shown to several people, so it knows neither who looks nor their token."""
        return self._templates.get_template(template).render(values)

    def page(self, request: web.Request, template: str, *, status: int = 200, **values: object) -> web.Response:
        """Render a whole page for whoever asks: templates that extend `base.html` also get `signed_in`, `theme` and `path`.

        `waiting`, where given, is how many cases wait for somebody.
        """
        theme = request.cookies.get(THEME_COOKIE, "")
        values |= {"signed_in": request.get(SIGNED_IN), "theme": theme if theme in THEMES else "", "path": request.path}
        text = self._templates.get_template(template).render(values)
        return web.Response(text=text, content_type="text/html", status=status)


def _unturned(value: object) -> object:
    """Return what a template shows, without letters that would turn the direction of what stands beside it."""
    if isinstance(value, Markup):
        return Markup(plain(value))  # our own templates made it
    return plain(value) if isinstance(value, str) else value
