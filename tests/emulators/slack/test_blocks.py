"""The documented limits of blocks and views, from just within to just beyond."""

from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from emulators.slack import SlackEmulator
from emulators.slack.blocks import problems_of, view_problems
from tests.emulators.slack.conftest import Json, modal


def text(length: int, kind: str = "plain_text") -> Json:
    return {"type": kind, "text": "x" * length}


def section(**content: Any) -> Json:
    return {"type": "section", "text": text(1, "mrkdwn")} | content


def press(**content: Any) -> Json:
    return {"type": "button", "text": text(1), "action_id": "a"} | content


def presses(count: int) -> list[Json]:
    return [press(action_id=str(index)) for index in range(count)]


def select(count: int, **option: Any) -> Json:
    options = [{"text": text(1), "value": str(index)} | option for index in range(count)]
    return section(accessory={"type": "static_select", "action_id": "a", "options": options})


def image(**content: Any) -> Json:
    return {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"} | content


def table(rows: int, columns: int, length: int = 1) -> Json:
    cell = {"type": "raw_text", "text": "x" * length}
    return {"type": "table", "rows": [[cell] * columns] * rows}


def data_table(rows: int, **content: Any) -> Json:
    return {"type": "data_table", "caption": "c", "rows": [[]] * rows} | content


# What is allowed to the limit: blocks from a number, and that number.
LIMITS: dict[str, tuple[Callable[[int], list[Json]], int]] = {
    "blocks": (lambda n: [section()] * n, 50),
    "section-text": (lambda n: [section(text=text(n, "mrkdwn"))], 3000),
    "section-fields": (lambda n: [section(fields=[text(1)] * n)], 10),
    "section-field": (lambda n: [section(fields=[text(n)])], 2000),
    "header": (lambda n: [{"type": "header", "text": text(n)}], 150),
    "context": (lambda n: [{"type": "context", "elements": [text(1)] * n}], 10),
    "actions": (lambda n: [{"type": "actions", "elements": presses(n)}], 25),
    "feedback": (lambda n: [{"type": "context_actions", "elements": presses(n)}], 5),
    "block-id": (lambda n: [section(block_id="b" * n)], 255),
    "action-id": (lambda n: [section(accessory=press(action_id="a" * n))], 255),
    "button-text": (lambda n: [section(accessory=press(text=text(n)))], 75),
    "button-value": (lambda n: [section(accessory=press(value="v" * n))], 2000),
    "alt-text": (lambda n: [image(alt_text="a" * n)], 2000),
    "image-title": (lambda n: [image(title=text(n))], 2000),
    "image-url": (lambda n: [image(image_url="u" * n)], 3000),
    "options": (lambda n: [select(n)], 100),
    "option-value": (lambda n: [select(1, value="v" * n)], 150),
    "markdown": (
        lambda n: [{"type": "markdown", "text": "m" * (n // 2)}, {"type": "markdown", "text": "m" * (n - n // 2)}],
        12_000,
    ),
    "tables": (lambda n: [table(1, 1)] * n, 1),
    "table-rows": (lambda n: [table(n, 1)], 100),
    "table-columns": (lambda n: [table(1, n)], 20),
    "table-text": (lambda n: [table(1, 1, n)], 10_000),
    "data-table-rows": (lambda n: [data_table(n)], 101),
    "data-table-page": (lambda n: [data_table(2, page_size=n)], 100),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_message_is_allowed_up_to_the_limit(name: str) -> None:
    make, limit = LIMITS[name]

    assert (problems_of(make(limit)), len(problems_of(make(limit + 1))) > 0) == ([], True)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param({"type": "sections"}, id="an-unknown-block"),
        pytest.param("text", id="no-block-at-all"),
        pytest.param({"type": "section"}, id="a-section-of-nothing"),
        pytest.param(section(text=text(0)), id="an-empty-text"),
        pytest.param({"type": "header", "text": text(1, "mrkdwn")}, id="a-header-in-markup"),
        pytest.param(image(alt_text=""), id="an-image-without-alt-text"),
        pytest.param({"type": "image", "alt_text": "a"}, id="an-image-of-nothing"),
        pytest.param(table(1, 1, 0), id="an-empty-cell"),
        pytest.param({"type": "actions", "elements": [press(), press()]}, id="two-of-one-id"),
        pytest.param({"type": "actions", "elements": []}, id="actions-of-nothing"),
        pytest.param(section(accessory=press(style="loud")), id="a-loud-button"),
        pytest.param(data_table(2, caption=""), id="a-table-without-caption"),
        pytest.param(data_table(1), id="a-table-of-one-row"),
    ],
)
def test_what_no_message_may_have(block: Any) -> None:
    assert problems_of([block])


@pytest.mark.parametrize(
    ("key", "limit"), [("title", 24), ("submit", 24), ("close", 24), ("private_metadata", 3000), ("callback_id", 255)]
)
def test_a_form_is_allowed_up_to_the_limit(key: str, limit: int) -> None:
    def make(length: int) -> Any:
        return "x" * length if key in ("private_metadata", "callback_id") else text(length)

    assert (view_problems(modal(**{key: make(limit)})), len(view_problems(modal(**{key: make(limit + 1)})))) == ([], 1)


def test_a_form_with_a_field_has_a_button_to_submit_it() -> None:
    assert view_problems(modal(submit=None))


async def test_a_message_with_invalid_blocks_is_refused_with_the_place(client: AsyncWebClient, slack: SlackEmulator) -> None:
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=slack.pics, text="a", blocks=[section()] * 51)

    assert caught.value.response["error"] == "invalid_blocks"
    assert caught.value.response["response_metadata"]["messages"] == [
        "[ERROR] no more than 50 items allowed [json-pointer:/blocks]"
    ]
    assert await slack.messages(slack.pics) == []
