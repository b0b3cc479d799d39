"""Discord's messages and dialogs as HTML, close to how Discord draws them. A kind that is not known here is an error."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from markupsafe import Markup, escape

Json = dict[str, Any]

# What one line may hold, in the order in which Discord tries it. A backslash shows any letter that is neither one nor a digit.
INLINE: Final = re.compile(
    r"\\(?P<plain>[^0-9A-Za-z\s])"
    r"|(?P<ticks>`+)(?P<code>.*?[^`])(?P=ticks)(?!`)"
    r"|\[(?P<label>(?:\\.|[^\]\\])+)\]\((?P<target>https?://[^\s)]+)\)"
    r"|<#(?P<channel>\d+)>|<(?P<mention>@[!&]?\d+)>|(?P<loud>@everyone|@here)|<t:(?P<moment>\d+:[Df])>"
    r"|(?P<bare>https?://[^\s<]+[^<.,:;\"'\]\s])"
    r"|\*\*(?P<bold>(?:\\.|[^\\])+?)\*\*(?!\*)|__(?P<under>(?:\\.|[^\\])+?)__(?!_)"
    r"|\*(?=\S)(?P<italic>(?:\\.|[^\\*])+?)\*(?!\*)|\b_(?P<slanted>(?:\\.|[^\\_])+?)_(?!\w)"
    r"|~~(?P<struck>(?:\\.|[^\\])+?)~~|\|\|(?P<hidden>(?:\\.|[^\\])+?)\|\|",
    re.DOTALL,
)
# Source: https://docs.discord.com/developers/reference#message-formatting-timestamp-styles
MOMENTS: Final = {"D": "%-d %B %Y", "f": "%-d %B %Y %H:%M"}
TAGS: Final = {"bold": "b", "under": "u", "italic": "i", "slanted": "i", "struck": "s", "hidden": "mark"}
LINE: Final = re.compile(r"(?P<heading>#{1,3}) (?P<title>.+)|-# (?P<small>.+)|\s*(?:[-*]|\d+\.) (?P<point>.+)|> (?P<quoted>.*)")


# Lines that keep their columns.
BLOCK: Final = re.compile(r"(?:^|\n)```\n(?P<lines>.*?)\n```(?:\n|$)", re.DOTALL)


class Components:
    """Draws for one server: `channels` are the names of its channels, by id."""

    def __init__(self, channels: Mapping[str, str]) -> None:
        self._channels = channels

    def message(self, components: Iterable[Json], *, alone: bool = False) -> Markup:
        """Return a message of the bot. `alone`: Discord shows it to one person."""
        only = Markup('<p class="only">Only you can see this • <a>Dismiss message</a></p>') if alone else Markup()
        return Markup(
            '<div class="discord"><div class="post"><span class="face">F</span><div class="body">'
            '<p class="by"><b>Flashbulb</b> <span class="app">APP</span> <time>Today at 09:41</time></p>{}{}</div></div></div>'
        ).format(self._all(components), only)

    def modal(self, dialog: Json) -> Markup:
        return Markup(
            '<div class="discord"><div class="modal"><h2>{}<span class="close">×</span></h2>{}'
            '<p class="foot"><span class="button">Cancel</span> <span class="button primary">Submit</span></p></div></div>'
        ).format(dialog["title"], self._all(dialog["components"]))

    def _all(self, components: Iterable[Json]) -> Markup:
        return Markup().join(self._component(each) for each in components)

    def _component(self, part: Json) -> Markup:
        # Source of the numbers: https://docs.discord.com/developers/components/reference#component-object-component-types
        match part["type"]:
            case 1:
                return Markup('<div class="row">{}</div>').format(self._all(part["components"]))
            case 2:
                style = {1: "primary", 2: "", 3: "success", 4: "danger", 5: "link"}[part["style"]]
                return Markup('<span class="button {}">{}</span>').format(style, part["label"])
            case 3 | 4 | 8:
                return self._control(part)
            case 9:
                words, beside = self._all(part["components"]), self._component(part["accessory"])
                return Markup('<div class="section"><div>{}</div>{}</div>').format(words, beside)
            case 10:
                return Markup('<div class="text">{}</div>').format(self._markdown(part["content"]))
            case 11:
                return Markup('<div class="picture small">{}</div>').format(part.get("description") or "no alt text")
            case 12:
                items = [
                    Markup('<div class="picture">{}</div>').format(each.get("description") or "no alt text")
                    for each in part["items"]
                ]
                return Markup().join(items)
            case 13:
                return Markup('<div class="file">{}</div>').format(part["file"]["url"].removeprefix("attachment://"))
            case 14:
                return Markup("<hr>")
            case 17:
                colour = part.get("accent_color")
                edge = Markup(' style="--edge: #{:06x}"').format(colour) if colour is not None else Markup()
                return Markup('<div class="container"{}>{}</div>').format(edge, self._all(part["components"]))
            case 18:
                required = Markup(' <span class="required">*</span>') if part["component"].get("required", True) else ""
                hint = Markup('<p class="hint">{}</p>').format(part["description"]) if part.get("description") else ""
                control = self._component(part["component"])
                return Markup('<div class="input"><b>{}</b>{}{}{}</div>').format(part["label"], required, hint, control)
            case unknown:
                raise LookupError(f"Nobody has drawn Discord's component {unknown} yet.")

    def _control(self, part: Json) -> Markup:
        match part["type"]:
            case 3:
                chosen = [each["label"] for each in part["options"] if each.get("default")]
                return Markup('<div class="box menu">{}</div>').format(", ".join(chosen) or "Make a selection")
            case 4:
                return Markup('<div class="{}">{}</div>').format(
                    "box lines" if part["style"] == 2 else "box", part.get("value", "")
                )
            case _:
                names = [self._channels[str(each["id"])] for each in part.get("default_values", ())]
                chips = Markup(" ").join(Markup('<span class="chip"># {}</span>').format(each) for each in names)
                return Markup('<div class="box menu">{}</div>').format(chips or "Make a selection")

    def _markdown(self, text: str) -> Markup:
        """Return Discord's Markdown as HTML: what begins with `>>> ` is quoted to its end, and points in a row are one list."""
        if found := BLOCK.search(text):
            around = [self._markdown(each) for each in (text[: found.start()], text[found.end() :]) if each]
            block = Markup("<pre>{}</pre>").format(found["lines"])
            return Markup().join([*around[:1], block, *around[1:]] if found.start() else [block, *around])
        text, quote, rest = _quoted_rest(text)
        drawn: list[Markup] = []
        for line in text.split("\n") if text or not quote else []:
            found = LINE.fullmatch(line)
            if found is None:
                drawn.append(Markup("<div>{}</div>").format(self._inline(line) or Markup("&nbsp;")))
            elif found["heading"]:
                drawn.append(Markup('<div class="h{}">{}</div>').format(len(found["heading"]), self._inline(found["title"])))
            elif found["small"]:
                drawn.append(Markup('<div class="subtext">{}</div>').format(self._inline(found["small"])))
            elif found["point"]:
                drawn.append(Markup("<ul><li>{}</li></ul>").format(self._inline(found["point"])))
            else:
                drawn.append(Markup("<blockquote>{}</blockquote>").format(self._inline(found["quoted"]) or Markup("&nbsp;")))
        if quote:
            drawn.append(Markup("<blockquote>{}</blockquote>").format(self._markdown(rest)))
        return Markup().join(drawn)

    def _inline(self, text: str) -> Markup:
        drawn: list[Markup] = []
        end = 0
        for found in INLINE.finditer(text):
            drawn += [escape(text[end : found.start()]), self._found(found)]
            end = found.end()
        return Markup().join([*drawn, escape(text[end:])])

    def _found(self, found: re.Match[str]) -> Markup:
        kind = found.lastgroup if found.lastgroup != "ticks" else "code"
        assert kind is not None
        match kind:
            case "plain":
                return escape(found["plain"])
            case "code":
                return Markup("<code>{}</code>").format(found["code"])
            case "target":
                return Markup('<a href="{}">{}</a>').format(found["target"], self._inline(found["label"]))
            case "bare":
                return Markup('<a href="{0}">{0}</a>').format(found["bare"])
            case "channel":
                return Markup('<span class="mention">#{}</span>').format(self._channels[found["channel"]])
            case "moment":
                seconds, style = found["moment"].split(":")
                return Markup("<time>{}</time>").format(f"{datetime.fromtimestamp(int(seconds), UTC):{MOMENTS[style]}}")
            case "mention" | "loud":
                return Markup('<span class="mention loud">{}</span>').format(found[kind])
            case _:
                return Markup("<{0}>{1}</{0}>").format(Markup(TAGS[kind]), self._inline(found[kind]))


def _quoted_rest(text: str) -> tuple[str, bool, str]:
    """Split a text where `>>> ` begins a line."""
    found = re.search(r"(?:^|\n)>>> ", text)
    return (text[: found.start()], True, text[found.end() :]) if found else (text, False, "")
