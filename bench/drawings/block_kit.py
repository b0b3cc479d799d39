"""Slack's messages and modals as HTML, close to how Slack draws them. A kind that is not known here is an error."""

import re
from collections.abc import Iterable, Mapping
from html import unescape
from typing import Any, Final

from markupsafe import Markup, escape

Json = dict[str, Any]

# Source: https://docs.slack.dev/messaging/formatting-message-text
MRKDWN: Final = re.compile(
    r"<#(?P<channel>\w+)(?:\|[^>]*)?>|<(?P<mention>[@!][^>]+)>|<(?P<url>[a-z]+:[^|>]+)(?:\|(?P<label>[^>]*))?>"
    r"|`(?P<code>[^`\n]+)`|(?<!\w)(?P<mark>[*_~])(?=\S)(?P<marked>[^\n]+?)(?<=\S)(?P=mark)(?!\w)"
)
MARKS: Final = {"*": "b", "_": "i", "~": "s"}


class BlockKit:
    """Draws for one workspace: `channels` are the names of its channels, by id."""

    def __init__(self, channels: Mapping[str, str]) -> None:
        self._channels = channels

    def message(self, said: Json, *, alone: bool = False) -> Markup:
        """Return a message of the bot. `alone`: Slack shows it to one person."""
        only = Markup('<p class="only">Only visible to you</p>') if alone else Markup()
        return Markup(
            '<div class="slack"><div class="post"><span class="face">F</span><div class="body">{}'
            '<p class="by"><b>Flashbulb</b> <span class="app">APP</span> <time>9:41 AM</time></p>{}</div></div></div>'
        ).format(only, self._all(self._block, said["blocks"]))

    def fallback(self, said: Json) -> Markup:
        """Return what notifications and screen readers say: the text below the blocks."""
        return Markup(
            '<div class="slack"><details class="fallback"><summary>In notifications and to screen readers</summary>{}'
            "</details></div>"
        ).format(self._mrkdwn(said["text"]))

    def modal(self, view: Json) -> Markup:
        return Markup(
            '<div class="slack"><div class="modal"><h2>{}<span class="close">×</span></h2>{}'
            '<p class="foot"><span class="button">{}</span> <span class="button primary">{}</span></p></div></div>'
        ).format(view["title"]["text"], self._all(self._block, view["blocks"]), view["close"]["text"], view["submit"]["text"])

    def _all(self, draw: Any, parts: Iterable[Json]) -> Markup:
        return Markup().join(draw(part) for part in parts)

    def _block(self, block: Json) -> Markup:
        match block["type"]:
            case "header":
                return Markup('<h3 class="block">{}</h3>').format(block["text"]["text"])
            case "section":
                text = [Markup("<div>{}</div>").format(self._text(block["text"]))] if "text" in block else []
                fields = self._all(self._field, block.get("fields", ()))
                return Markup('<div class="block">{}<div class="fields">{}</div></div>').format(Markup().join(text), fields)
            case "rich_text":
                return Markup('<div class="block rich">{}</div>').format(self._all(self._rich, block["elements"]))
            case "context":
                return Markup('<div class="block context">{}</div>').format(self._all(self._small, block["elements"]))
            case "divider":
                return Markup("<hr>")
            case "image":
                return Markup('<div class="block picture">{}</div>').format(block["alt_text"])
            case "actions":
                return Markup('<div class="block actions">{}</div>').format(self._all(_element, block["elements"]))
            case "input":
                return self._input(block)
            case unknown:
                raise LookupError(f"Nobody has drawn Slack's block {unknown} yet.")

    def _input(self, block: Json) -> Markup:
        optional = Markup(' <span class="dim">(optional)</span>') if block.get("optional") else ""
        hint = Markup('<p class="hint">{}</p>').format(block["hint"]["text"]) if "hint" in block else ""
        control = self._control(block["element"])
        return Markup('<div class="input"><b>{}</b>{}{}{}</div>').format(block["label"]["text"], optional, control, hint)

    def _control(self, element: Json) -> Markup:
        match element["type"]:
            case "plain_text_input":
                lines = "box lines" if element["multiline"] else "box"
                return Markup('<div class="{}">{}</div>').format(lines, element.get("initial_value", ""))
            case "static_select":
                chosen = element.get("initial_option", {"text": {"text": "Select an item"}})
                return Markup('<div class="box menu">{}</div>').format(chosen["text"]["text"])
            case "conversations_select" | "multi_conversations_select":
                one = [element["initial_conversation"]] if "initial_conversation" in element else []
                chips = [
                    Markup('<span class="chip"># {}</span>').format(self._channels[each])
                    for each in element.get("initial_conversations", one)
                ]
                return Markup('<div class="box menu">{}</div>').format(Markup(" ").join(chips) or "Select a conversation")
            case unknown:
                raise LookupError(f"Nobody has drawn Slack's element {unknown} yet.")

    def _rich(self, part: Json) -> Markup:
        runs = part["elements"]
        match part["type"]:
            case "rich_text_section":
                return Markup("<div>{}</div>").format(self._all(self._run, runs))
            case "rich_text_quote":
                return Markup("<blockquote>{}</blockquote>").format(self._all(self._run, runs))
            case "rich_text_preformatted":
                return Markup("<pre>{}</pre>").format(self._all(self._run, runs))
            case "rich_text_list":
                return Markup("<ul>{}</ul>").format(
                    Markup().join(Markup("<li>{}</li>").format(self._rich(each)) for each in runs)
                )
            case unknown:
                raise LookupError(f"Nobody has drawn Slack's rich text {unknown} yet.")

    def _run(self, run: Json) -> Markup:
        match run["type"]:
            case "text":
                text = escape(run["text"])
                for style in sorted(name for name, on in run.get("style", {}).items() if on):
                    tag = {"bold": "b", "italic": "i", "strike": "s", "code": "code"}[style]
                    text = Markup("<{0}>{1}</{0}>").format(Markup(tag), text)
                return text
            case "channel":
                return self._channel(run["channel_id"])
            case "link":
                return Markup('<a href="{}">{}</a>').format(run["url"], run.get("text", run["url"]))
            case unknown:
                raise LookupError(f"Nobody has drawn Slack's rich text element {unknown} yet.")

    def _small(self, element: Json) -> Markup:
        return Markup("<span>{}</span>").format(self._text(element))

    def _field(self, field: Json) -> Markup:
        return Markup("<div>{}</div>").format(self._text(field))

    def _text(self, text: Json) -> Markup:
        match text["type"]:
            case "plain_text":
                return escape(text["text"])
            case "mrkdwn":
                return self._mrkdwn(text["text"])
            case unknown:
                raise LookupError(f"Nobody has drawn Slack's text {unknown} yet.")

    def _mrkdwn(self, text: str) -> Markup:
        lines: list[Markup] = []
        for line in text.split("\n"):
            quoted = re.match(r"(?:>|&gt;) ?(.*)", line)
            lines.append(
                Markup("<blockquote>{}</blockquote>").format(self._inline(quoted[1]))
                if quoted and line.startswith(">")
                else Markup("<div>{}</div>").format(self._inline(line) or Markup("&nbsp;"))
            )
        return Markup().join(lines)

    def _inline(self, text: str) -> Markup:
        drawn: list[Markup] = []
        end = 0
        for found in MRKDWN.finditer(text):
            drawn += [escape(unescape(text[end : found.start()])), self._found(found)]
            end = found.end()
        return Markup().join([*drawn, escape(unescape(text[end:]))])

    def _found(self, found: re.Match[str]) -> Markup:
        if found["channel"]:
            return self._channel(found["channel"])
        if found["mention"]:
            return Markup('<span class="mention loud">{}</span>').format(found["mention"])
        if found["url"]:
            url = unescape(found["url"])
            return Markup('<a href="{}">{}</a>').format(url, unescape(found["label"] or url))
        if found["code"]:
            return Markup("<code>{}</code>").format(unescape(found["code"]))
        return Markup("<{0}>{1}</{0}>").format(Markup(MARKS[found["mark"]]), self._inline(found["marked"]))

    def _channel(self, channel: str) -> Markup:
        return Markup('<span class="mention">#{}</span>').format(self._channels[channel])


def _element(element: Json) -> Markup:
    if element["type"] != "button":
        raise LookupError(f"Nobody has drawn Slack's element {element['type']} yet.")
    return Markup('<span class="button {}">{}</span>').format(element.get("style", ""), element["text"]["text"])
