"""Every answer and every form on every platform, on one page and as pictures, so that a person can look at them."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, cast, get_args

from discord.ui import LayoutView
from markupsafe import Markup

from bench.drawings.block_kit import BlockKit
from bench.drawings.components import Components
from bench.drawings.samples import CONSOLE, DISCORD, LONG, NASTY_NAME, NASTY_TEXT, SLACK, Here, Sample, forms, samples
from bot.console.chat.render import Renderer
from bot.console.pages import STATIC, Pages
from bot.discord import copies as discord_copies
from bot.discord import forms as discord_forms
from bot.discord import render as discord_render
from bot.slack import forms as slack_forms
from bot.slack import render as slack_render
from bot.storage.console_messages import StoredMessage
from bot.storage.copies import CopiedFile, Copy
from handlers.events import Person, Role
from handlers.forms import Form

Platform = Literal["slack", "discord", "console"]
PLATFORMS: Final[tuple[Platform, ...]] = get_args(Platform)
HERE: Final[dict[Platform, Here]] = {"slack": SLACK, "discord": DISCORD, "console": CONSOLE}

# Written anew whenever somebody wants to look, and kept by nobody.
PAGE: Final = Path(__file__).parents[1] / "dist" / "answers.html"
GALLERY_PX: Final = 1_468  # the width that `drawings.css` gives it
STYLES: Final = Path(__file__).parent / "drawings" / "drawings.css"

VIEWER: Final = Person(id="mo", name="Mo", role=Role.MODERATOR)
KEY: Final = "one effect"
HOME: Final = "https://example.slack.com"


class Drawing(NamedTuple):
    """What a platform makes of one answer or form; nothing where the platform has no such thing."""

    caption: str
    html: Markup
    usual: bool


async def drawings(platform: Platform) -> list[Drawing]:
    """Return every answer, message put back, and form, in the same order on every platform."""
    here = HERE[platform]
    drawn = [Drawing(each.caption, _answer(platform, each), each.usual) for each in samples(here)]
    drawn += [Drawing(caption, _restored(platform, copy), usual) for caption, copy, usual in _copies(here)]
    opened = {form.name: form for form in await forms(CONSOLE)} | {form.name: form for form in await forms(here)}
    drawn += [
        Drawing(f"The form: {form.title}", _form(platform, form), name != "invite") for name, form in sorted(opened.items())
    ]
    return drawn


async def page() -> str:
    """Return the page with everything: a row each, a column for each platform, light above dark."""
    columns = [await drawings(platform) for platform in PLATFORMS]
    rows = Markup().join(_row(cells) for cells in zip(*columns, strict=True))
    heads = Markup().join(Markup("<th>{}</th>").format(platform.capitalize()) for platform in PLATFORMS)
    table = Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(heads, rows)
    return _document("Every answer on every platform", Markup('<div class="sheet wide">{}</div>').format(table))


async def gallery(platform: Platform) -> str:
    """Return the page that is the picture of one platform in the documentation: what people usually see there."""
    figures = [
        Markup('<figure><figcaption>{}</figcaption><div class="scene">{}</div></figure>').format(each.caption, each.html)
        for each in await drawings(platform)
        if each.usual
    ]
    return _document(
        f"Answers on {platform.capitalize()}", Markup('<div class="sheet gallery">{}</div>').format(_joined(figures))
    )


async def write_page() -> Path:
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(await page(), encoding="utf-8")
    return PAGE


def _row(cells: Sequence[Drawing]) -> Markup:
    themes = [
        Markup("<tr>{}</tr>").format(
            _joined(Markup('<td><div class="scene" data-theme="{}">{}</div></td>').format(theme, each.html) for each in cells)
        )
        for theme in ("light", "dark")
    ]
    return Markup('<tr><th colspan="{}">{}</th></tr>{}').format(len(cells), cells[0].caption, _joined(themes))


def _answer(platform: Platform, sample: Sample) -> Markup:
    here = HERE[platform]
    match platform:
        case "slack":
            said = slack_render.render(sample.answer, home=HOME)
            kit = BlockKit(here.channels)
            return kit.message(said, alone=sample.to == "asker") + ("" if sample.usual else kit.fallback(said))
        case "discord":
            view = discord_render.render(sample.answer, key=KEY, workspace=here.workspace)
            return Components(here.channels).message(_components(view), alone=sample.to == "asker")
        case "console":
            message = StoredMessage(
                seq=7,
                id="7",
                channel=here.channel,
                thread=None,
                author=None,
                text="",
                command=None,
                answer=sample.answer,
                only_for=None if sample.to == "all" else VIEWER.id,
                state="shown",
                edit_effect=None,
                at=datetime(2026, 11, 24, 9, 41, tzinfo=UTC),
            )
            return _console(Markup("<ol>{}</ol>").format(Renderer(_pages()).message(message, viewer=VIEWER)))


def _form(platform: Platform, form: Form) -> Markup:
    here = HERE[platform]
    match platform:
        case "slack":
            return BlockKit(here.channels).modal(slack_forms.view(form, here.place))
        case "discord":
            return Components(here.channels).modal(discord_forms.modal(form, here.workspace).to_dict())
        case "console":
            return _console(Renderer(_pages()).form(form, channel=here.channel, thread=None))


def _copies(here: Here) -> Iterable[tuple[str, Copy, bool]]:
    picture = CopiedFile(name="jetty.jpg", media_type="image/jpeg", alt_text="A wooden jetty at sunset.", data=b"")
    lost = CopiedFile(name="a very long recording of the evening.mov", media_type="video/quicktime")
    ada, nobody = (Person(id="1", name=name) for name in ("Ada Lovelace", NASTY_NAME))
    yield (
        "A message that was put back",
        Copy(place=here.place, author=ada, text="Sunset at the lake!", files=(picture, lost)),
        True,
    )
    yield "Put back: nasty and long", Copy(place=here.place, author=nobody, text=f"{NASTY_TEXT}\n{LONG}"), False


def _restored(platform: Platform, copy: Copy) -> Markup:
    here = HERE[platform]
    match platform:
        case "slack":
            missing = [each.name for each in copy.files if each.data is None]
            return BlockKit(here.channels).message(slack_render.restored(copy, missing=missing))
        case "discord":
            parts = discord_copies.restored(copy, KEY)
            return _joined(Components(here.channels).message(_components(view)) for view, _ in parts)
        case "console":
            return Markup('<p class="none">The message itself stands in the channel again.</p>')


def _components(view: LayoutView) -> list[dict[str, Any]]:
    return list(cast(Any, view).to_components())  # it says nothing about types


@cache
def _pages() -> Pages:
    return Pages()


def _console(html: Markup) -> Markup:
    """Return a part of the console whose pictures lie in the page."""
    folder = _pages().static_folder
    icon = (STATIC / "icon.svg").read_text(encoding="utf-8")
    drawn = re.sub(rf'<img class="avatar" src="{folder}/icon.svg"[^>]*>', lambda _: f'<span class="avatar">{icon}</span>', html)
    return Markup('<div class="console">{}</div>').format(Markup(drawn.replace(f"{folder}/icons.svg#", "#")))


def _document(title: str, body: Markup) -> str:
    """Return a page that needs nothing beside it. The console's own styles hold only inside of what the console made."""
    shared, *rules = ((STATIC / name).read_text(encoding="utf-8") for name in ("tokens.css", "base.css", "chat.css"))
    own = "\n".join(rules).replace("\nbody {", "\n:scope {")
    styles = f"{shared}\n@scope (.console) {{\n{own}\n}}\n{STYLES.read_text(encoding='utf-8')}"
    icons = (STATIC / "icons.svg").read_text(encoding="utf-8").replace("<svg ", '<svg style="display: none" ', 1)
    return Markup(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{}</title><style>{}</style></head>'
        "<body>{}{}</body></html>"
    ).format(title, Markup(styles), Markup(icons), body)


def _joined(parts: Iterable[Markup]) -> Markup:
    return Markup().join(parts)
