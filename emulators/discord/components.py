"""Buttons, menus, layouts and forms: their rules, the numbers that Discord gives them, the files that they show.

Source: https://discord.com/developers/docs/components/reference
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from emulators.discord.problems import bad_form

Json = dict[str, Any]

V2: Final = 1 << 15  # message flag
V2_MAX, V2_TEXT_MAX = 40, 4000
ROWS_MAX, BUTTONS_MAX, OPTIONS_MAX, GALLERY_MAX = 5, 5, 25, 10
CUSTOM_ID_MAX, LABEL_MAX, OPTION_MAX, ALT_MAX = 100, 80, 100, 1024
FORM_TITLE_MAX, FORM_PARTS_MAX, FORM_LABEL_MAX, FORM_DESCRIPTION_MAX, INPUT_MAX = 45, 5, 45, 100, 4000
FORM_FILES_MAX = 10

ROW, BUTTON, SELECT, TEXT_INPUT, SECTION, TEXT, THUMBNAIL, GALLERY, FILE = 1, 2, 3, 4, 9, 10, 11, 12, 13
SEPARATOR, CONTAINER, LABEL, UPLOAD, RADIO, CHECKBOXES, CHECKBOX = 14, 17, 18, 19, 21, 22, 23
USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT = 5, 6, 7, 8
SELECTS: Final = (SELECT, USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT)
INTERACTIVE: Final = (BUTTON, *SELECTS, TEXT_INPUT, UPLOAD, RADIO, CHECKBOXES, CHECKBOX)
TOP_OF_V2: Final = (ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR, CONTAINER)


def walk(components: list[Json]) -> Iterator[Json]:
    """Yield every component, each before those inside it."""
    for each in components:
        yield each
        yield from walk(each.get("components", ()))
        yield from walk([each[name] for name in ("accessory", "component") if each.get(name)])


def prepare(components: list[Json], flags: int, files: list[Json]) -> list[Json]:
    """Check the components of a message, number those without `id` and point `attachment://` at the message's files.

    Raises: `Problem` 50035.
    """
    if flags & V2:
        _check_layout(components)
    else:
        _check_rows(components)
    _check_interactive(components)
    number(components)
    for item in media_items(components):
        resolve(item, files)
    return components


def number(components: list[Json]) -> None:
    """Give every component an integer `id`, keeping those that were sent."""
    sent = [each["id"] for each in walk(components) if each.get("id")]
    if len(set(sent)) != len(sent):
        raise bad_form("components", "Component ids must be unique")
    following = 1
    for each in walk(components):
        if each.get("id"):
            continue
        while following in sent:
            following += 1
        each["id"] = following
        following += 1


def media_items(components: list[Json]) -> Iterator[Json]:
    """Yield everything that shows a file: `{"url": …}`."""
    for each in walk(components):
        if each["type"] == GALLERY:
            yield from (item["media"] for item in each["items"])
        elif each["type"] == THUMBNAIL:
            yield each["media"]
        elif each["type"] == FILE:
            yield each["file"]


def resolve(item: Json, files: list[Json]) -> None:
    """Point `attachment://name`, or the address of a file that the message has already, at that file. Other addresses stay."""
    url = str(item.get("url", ""))
    if url.startswith("attachment://"):
        file = next((each for each in files if each["filename"] == url.removeprefix("attachment://")), None)
        if file is None:
            raise bad_form("components", "The specified attachment could not be found")
    else:
        named = re.search(r"/attachments/\d+/(\d+)/", url)
        file = next((each for each in files if named and each["id"] == named[1]), None)
        if file is None:
            return
    item["attachment_id"] = file["id"]
    item |= {key: file[key] for key in ("content_type", "width", "height") if key in file}


def check_form(form: Json) -> list[Json]:
    """Check what a callback of type 9 opens and return its numbered components."""
    _within("data.title", form.get("title", ""), 1, FORM_TITLE_MAX)
    _within("data.custom_id", form.get("custom_id", ""), 1, CUSTOM_ID_MAX)
    components: list[Json] = form.get("components", [])
    _count("data.components", components, 1, FORM_PARTS_MAX)
    for each in components:
        if each["type"] not in (ROW, LABEL, TEXT):
            raise bad_form("data.components", f"A form cannot hold type {each['type']}")
        if each["type"] == LABEL:
            _within("data.components", each.get("label", ""), 1, FORM_LABEL_MAX)
            _within("data.components", each.get("description") or "", 0, FORM_DESCRIPTION_MAX)
    for each in walk(components):
        if each["type"] == TEXT_INPUT and (each.get("max_length") or INPUT_MAX) > INPUT_MAX:
            raise bad_form("data.components", f"max_length must be at most {INPUT_MAX}")
        if each["type"] == UPLOAD and (each.get("max_values") or 1) > FORM_FILES_MAX:
            raise bad_form("data.components", f"max_values must be at most {FORM_FILES_MAX}")
    _check_interactive(components)
    number(components)
    return components


def _check_layout(components: list[Json]) -> None:
    everything = list(walk(components))
    _count("components", everything, 1, V2_MAX)
    for each in components:
        if each["type"] not in TOP_OF_V2:
            raise bad_form("components", f"Type {each['type']} cannot stand by itself")
    for each in everything:
        if each["type"] == SECTION:
            _count("components", each["components"], 1, 3)
            if (each.get("accessory") or {}).get("type") not in (BUTTON, THUMBNAIL):
                raise bad_form("components", "A section needs an accessory")
        elif each["type"] == GALLERY:
            _count("components", each["items"], 1, GALLERY_MAX)
            for item in each["items"]:
                _within("components", item.get("description") or "", 0, ALT_MAX)
    shown = sum(len(each["content"]) for each in everything if each["type"] == TEXT)
    if shown > V2_TEXT_MAX:
        raise bad_form("components", f"Must be {V2_TEXT_MAX} or fewer in length")
    _check_row_contents(everything)


def _check_rows(components: list[Json]) -> None:
    _count("components", components, 0, ROWS_MAX)
    if any(each["type"] != ROW for each in components):
        raise bad_form("components", "Only action rows are allowed without the flag IS_COMPONENTS_V2")
    _check_row_contents(components)


def _check_row_contents(components: list[Json]) -> None:
    for row in (each for each in components if each["type"] == ROW):
        kinds = [each["type"] for each in row["components"]]
        _count("components", kinds, 1, BUTTONS_MAX if set(kinds) == {BUTTON} else 1)


def _check_interactive(components: list[Json]) -> None:
    seen: set[str] = set()
    for each in walk(components):
        if each["type"] not in INTERACTIVE:
            continue
        _within("components", each.get("label") or "", 0, LABEL_MAX)
        if each["type"] == BUTTON and each.get("style") == 5:
            if not each.get("url"):
                raise bad_form("components", "A url button must have a url")
            continue
        custom_id = each.get("custom_id") or ""
        _within("components", custom_id, 1, CUSTOM_ID_MAX)
        if custom_id in seen:
            raise bad_form("components", "Component custom id cannot be duplicated")
        seen.add(custom_id)
        if each["type"] == SELECT:
            _count("components", each.get("options", []), 1, OPTIONS_MAX)
            for option in each["options"]:
                _within("components", option["label"], 1, OPTION_MAX)


def _within(field: str, text: str, least: int, most: int) -> None:
    if not least <= len(text) <= most:
        raise bad_form(field, f"Must be between {least} and {most} in length.")


def _count(field: str, items: list[Any], least: int, most: int) -> None:
    if not least <= len(items) <= most:
        raise bad_form(field, f"Must be between {least} and {most} in length.")
