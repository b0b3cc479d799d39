"""What Slack refuses of blocks and views, by the documented limits.

Source of every number, where no other is given: https://docs.slack.dev/reference/block-kit (blocks, block elements,
composition objects) and https://docs.slack.dev/reference/views
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from emulators.slack.state import Json

MESSAGE_BLOCKS_MAX, VIEW_BLOCKS_MAX = 50, 100
ID_MAX = 255
SECTION_TEXT_MAX, FIELDS_MAX, FIELD_MAX = 3000, 10, 2000
HEADER_MAX, CONTEXT_MAX, ACTIONS_MAX, CONTEXT_ACTIONS_MAX = 150, 10, 25, 5
BUTTON_TEXT_MAX, BUTTON_VALUE_MAX, URL_MAX = 75, 2000, 3000
ALT_TEXT_MAX, TITLE_MAX, LABEL_MAX, PLACEHOLDER_MAX = 2000, 2000, 2000, 150
OPTIONS_MAX, OPTION_VALUE_MAX, OPTION_TEXT_MAX, BOX_OPTIONS_MAX, OVERFLOW_MAX = 100, 150, 75, 10, 5
MARKDOWN_MAX = 12_000  # over all markdown blocks of a message
TABLE_ROWS_MAX, TABLE_COLUMNS_MAX, TABLE_TEXT_MAX = 100, 20, 10_000
DATA_TABLE_ROWS, DATA_TABLE_PAGE = (2, 101), (1, 100)
VIEW_TITLE_MAX, PRIVATE_METADATA_MAX = 24, 3000
CONFIRM_MAX = {"title": 100, "text": 300, "confirm": 30, "deny": 30}

SELECTS = ("static_select", "multi_static_select", "radio_buttons", "checkboxes", "overflow")
ELEMENTS = (
    *SELECTS,
    "button",
    "image",
    "plain_text",
    "mrkdwn",
    "plain_text_input",
    "rich_text_input",
    "email_text_input",
    "url_text_input",
    "number_input",
    "file_input",
    "datepicker",
    "timepicker",
    "datetimepicker",
    "users_select",
    "multi_users_select",
    "channels_select",
    "multi_channels_select",
    "conversations_select",
    "multi_conversations_select",
    "external_select",
    "multi_external_select",
    "workflow_button",
    "feedback_buttons",
    "icon_button",
)
# Says whether a block may show a file, by its id; None asks nobody.
Shows = Callable[[Json], bool]


def blocks_of(body: Json) -> list[Json]:
    """Return the blocks of a message's arguments."""
    blocks = body.get("blocks") or []
    return blocks if isinstance(blocks, list) else []


def with_ids(blocks: list[Json], secret: Callable[[], str]) -> list[Json]:
    """Return the blocks, each with an id and each element that acts with one, as Slack gives them where they lack."""
    return [_with_ids(block, secret) for block in blocks]


def _with_ids(block: Json, secret: Callable[[], str]) -> Json:
    given: Json = {"block_id": secret()} | block
    for key in ("accessory", "element"):
        if isinstance(given.get(key), dict) and given[key]["type"] != "image":
            given[key] = {"action_id": secret()} | given[key]
    if given["type"] == "actions":
        given["elements"] = [{"action_id": secret()} | element for element in given["elements"]]
    return given


def problems_of(blocks: list[Json], shows: Shows | None = None) -> list[str]:
    """Return what is wrong with a message's blocks; nothing is well."""
    check = _Check(shows)
    check.at_most(len(blocks), MESSAGE_BLOCKS_MAX, "blocks", "items")
    check.blocks(blocks)
    return check.problems


def view_problems(view: Json) -> list[str]:
    """Return what is wrong with a view."""
    check = _Check(None)
    if view.get("type") not in ("modal", "home"):
        check.say("type", "must be modal or home")
    blocks = view.get("blocks")
    if not isinstance(blocks, list):
        check.say("blocks", "missing required field")
        return check.problems
    check.at_most(len(blocks), VIEW_BLOCKS_MAX, "blocks", "items")
    if view.get("type") == "modal":
        check.text(view.get("title"), "title", VIEW_TITLE_MAX, plain=True)
        for key in ("submit", "close"):
            if view.get(key) is not None:
                check.text(view[key], key, VIEW_TITLE_MAX, plain=True)
        if any(isinstance(block, dict) and block.get("type") == "input" for block in blocks) and not view.get("submit"):
            check.say("submit", "is required when an input is in blocks")
    check.at_most(len(view.get("private_metadata") or ""), PRIVATE_METADATA_MAX, "private_metadata")
    check.at_most(len(view.get("callback_id") or ""), ID_MAX, "callback_id")
    check.blocks(blocks)
    return check.problems


class _Check:
    """Collect what is wrong, each with the place that it is at."""

    def __init__(self, shows: Shows | None) -> None:
        self.problems: list[str] = []
        self._shows = shows

    def say(self, place: str, problem: str) -> None:
        self.problems.append(f"{problem} [json-pointer:/{place}]")

    def at_most(self, count: int, limit: int, place: str, unit: str = "characters") -> None:
        if count > limit:
            self.say(place, f"no more than {limit} {unit} allowed")

    def text(self, value: Any, place: str, limit: int, *, plain: bool = False) -> None:
        """Check a text object."""
        if not isinstance(value, dict) or not isinstance(value.get("text"), str):
            self.say(place, "missing required field: text")
            return
        if value.get("type") not in (("plain_text",) if plain else ("plain_text", "mrkdwn")):
            self.say(place, "unsupported type of text")
        if not value["text"]:
            self.say(place, "must be more than 0 characters")
        self.at_most(len(value["text"]), limit, place)

    def blocks(self, blocks: list[Any]) -> None:
        seen: set[str] = set()
        for index, block in enumerate(blocks):
            place = f"blocks/{index}"
            kind = block.get("type") if isinstance(block, dict) else None
            rule = RULES.get(kind or "")
            if rule is None:
                self.say(f"{place}/type", f"unsupported type: {kind}")
                continue
            block_id = block.get("block_id")
            if block_id is not None:
                self.at_most(len(block_id), ID_MAX, f"{place}/block_id")
                if block_id in seen:
                    self.say(f"{place}/block_id", "block_id already exists")
                seen.add(block_id)
            rule(self, block, place)
        written = sum(len(block.get("text", "")) for block in _of(blocks, "markdown") if isinstance(block.get("text"), str))
        self.at_most(written, MARKDOWN_MAX, "blocks", "characters of markdown")
        self.at_most(len(list(_of(blocks, "table"))), 1, "blocks", "tables")

    def section(self, block: Json, place: str) -> None:
        if not block.get("text") and not block.get("fields"):
            self.say(place, "must define either text or fields")
        if block.get("text"):
            self.text(block["text"], f"{place}/text", SECTION_TEXT_MAX)
        self.at_most(len(block.get("fields") or ()), FIELDS_MAX, f"{place}/fields", "items")
        for index, one in enumerate(block.get("fields") or ()):
            self.text(one, f"{place}/fields/{index}", FIELD_MAX)
        if block.get("accessory"):
            self.element(block["accessory"], f"{place}/accessory")

    def header(self, block: Json, place: str) -> None:
        self.text(block.get("text"), f"{place}/text", HEADER_MAX, plain=True)

    def context(self, block: Json, place: str) -> None:
        self.elements(block, place, CONTEXT_MAX)

    def actions(self, block: Json, place: str) -> None:
        self.elements(block, place, ACTIONS_MAX)

    def context_actions(self, block: Json, place: str) -> None:
        self.elements(block, place, CONTEXT_ACTIONS_MAX)

    def markdown(self, block: Json, place: str) -> None:
        if not isinstance(block.get("text"), str) or not block["text"]:
            self.say(f"{place}/text", "missing required field: text")

    def input(self, block: Json, place: str) -> None:
        self.text(block.get("label"), f"{place}/label", LABEL_MAX, plain=True)
        if block.get("hint"):
            self.text(block["hint"], f"{place}/hint", LABEL_MAX, plain=True)
        self.element(block.get("element") or {}, f"{place}/element")

    def image(self, block: Json, place: str) -> None:
        """Check an image, be it a block or an element."""
        if not block.get("alt_text"):
            self.say(f"{place}/alt_text", "missing required field: alt_text")
        self.at_most(len(block.get("alt_text") or ""), ALT_TEXT_MAX, f"{place}/alt_text")
        if block.get("title"):
            self.text(block["title"], f"{place}/title", TITLE_MAX, plain=True)
        if bool(block.get("image_url")) == bool(block.get("slack_file")):
            self.say(place, "must define either image_url or slack_file")
        self.at_most(len(block.get("image_url") or ""), URL_MAX, f"{place}/image_url")
        if block.get("slack_file") and self._shows and not self._shows(block["slack_file"]):
            self.say(f"{place}/slack_file", "invalid slack file")

    def table(self, block: Json, place: str) -> None:
        rows = block.get("rows") or []
        if not rows:
            self.say(f"{place}/rows", "missing required field: rows")
        self.at_most(len(rows), TABLE_ROWS_MAX, f"{place}/rows", "items")
        for index, row in enumerate(rows):
            self.at_most(len(row), TABLE_COLUMNS_MAX, f"{place}/rows/{index}", "items")
            for column, cell in enumerate(row):
                if not _cell_text(cell):
                    self.say(f"{place}/rows/{index}/{column}", "must be more than 0 characters")
        written = sum(len(_cell_text(cell)) for row in rows for cell in row)
        self.at_most(written, TABLE_TEXT_MAX, f"{place}/rows")

    def data_table(self, block: Json, place: str) -> None:
        if not block.get("caption"):
            self.say(f"{place}/caption", "missing required field: caption")
        least, most = DATA_TABLE_ROWS
        if not least <= len(block.get("rows") or ()) <= most:
            self.say(f"{place}/rows", f"between {least} and {most} items allowed")
        least, most = DATA_TABLE_PAGE
        if not least <= block.get("page_size", least) <= most:
            self.say(f"{place}/page_size", f"must be between {least} and {most}")

    def anything(self, block: Json, place: str) -> None:
        """Let a block pass that has no limits of its own."""

    def elements(self, block: Json, place: str, limit: int) -> None:
        elements = block.get("elements") or []
        if not elements:
            self.say(f"{place}/elements", "must have at least 1 item")
        self.at_most(len(elements), limit, f"{place}/elements", "items")
        ids = [element["action_id"] for element in elements if isinstance(element, dict) and "action_id" in element]
        if len(ids) != len(set(ids)):
            self.say(f"{place}/elements", "action_id already exists")
        for index, element in enumerate(elements):
            self.element(element, f"{place}/elements/{index}")

    def element(self, element: Json, place: str) -> None:
        kind = element.get("type")
        if kind not in ELEMENTS:
            self.say(f"{place}/type", f"unsupported type: {kind}")
            return
        self.at_most(len(element.get("action_id") or ""), ID_MAX, f"{place}/action_id")
        if element.get("placeholder"):
            self.text(element["placeholder"], f"{place}/placeholder", PLACEHOLDER_MAX, plain=True)
        if element.get("confirm"):
            self.confirm(element["confirm"], f"{place}/confirm")
        if kind == "button":
            self.text(element.get("text"), f"{place}/text", BUTTON_TEXT_MAX, plain=True)
            self.at_most(len(element.get("value") or ""), BUTTON_VALUE_MAX, f"{place}/value")
            self.at_most(len(element.get("url") or ""), URL_MAX, f"{place}/url")
            if element.get("style", "primary") not in ("primary", "danger"):
                self.say(f"{place}/style", "must be primary or danger")
        elif kind == "image":
            self.image(element, place)
        elif kind in ("plain_text", "mrkdwn"):
            self.text(element, place, SECTION_TEXT_MAX)
        elif kind in SELECTS:
            self.options(element, place)

    def options(self, element: Json, place: str) -> None:
        limit = {"overflow": OVERFLOW_MAX, "radio_buttons": BOX_OPTIONS_MAX, "checkboxes": BOX_OPTIONS_MAX}
        groups = element.get("option_groups") or ()
        options = element.get("options") or [option for group in groups for option in group.get("options", ())]
        if not options:
            self.say(f"{place}/options", "must have at least 1 item")
        self.at_most(len(options), limit.get(element["type"], OPTIONS_MAX), f"{place}/options", "items")
        for index, option in enumerate(options):
            self.text(option.get("text"), f"{place}/options/{index}/text", OPTION_TEXT_MAX)
            self.at_most(len(option.get("value") or ""), OPTION_VALUE_MAX, f"{place}/options/{index}/value")
        initial = element.get("initial_option")
        if initial and initial.get("value") not in [option.get("value") for option in options]:
            self.say(f"{place}/initial_option", "must be one of the provided options")

    def confirm(self, confirm: Json, place: str) -> None:
        for key, limit in CONFIRM_MAX.items():
            if key in confirm or key in ("title", "text"):
                self.text(confirm.get(key), f"{place}/{key}", limit)


Rule = Callable[[_Check, Json, str], None]

RULES: dict[str, Rule] = {
    "section": _Check.section,
    "header": _Check.header,
    "context": _Check.context,
    "actions": _Check.actions,
    "context_actions": _Check.context_actions,
    "markdown": _Check.markdown,
    "input": _Check.input,
    "image": _Check.image,
    "table": _Check.table,
    "data_table": _Check.data_table,
    "divider": _Check.anything,
    "rich_text": _Check.anything,
    "video": _Check.anything,
    "file": _Check.anything,
    "call": _Check.anything,
}


def _of(blocks: list[Any], kind: str) -> Iterator[Json]:
    return (block for block in blocks if isinstance(block, dict) and block.get("type") == kind)


def _cell_text(cell: Any) -> str:
    """Return the words of a table's cell, rich or raw."""
    if isinstance(cell, dict):
        if isinstance(cell.get("text"), str):
            return str(cell["text"])
        return "".join(_cell_text(element) for element in cell.get("elements", ()))
    return json.dumps(cell)
