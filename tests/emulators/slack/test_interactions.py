"""Commands, menu entries, buttons, forms: with an app made with the vendor's framework."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from emulators.slack import SlackEmulator
from emulators.slack.state import ApiError
from tests.emulators.slack.conftest import Bot, Json, button, modal


async def texts(slack: SlackEmulator, user: str) -> list[str]:
    """Return what this user was told in private."""
    return [message["text"] for message in await slack.private(user)]


async def test_a_command_is_answered_in_private_and_then_for_all(slack: SlackEmulator, bot: Bot) -> None:
    @bot.app.command("/tag")
    async def on_tag(ack: Any, respond: Any, command: Json) -> None:
        await ack(f"looking at {command['text']}")
        await respond("a cat", response_type="in_channel")

    await bot.connect()
    await slack.command(slack.pics, slack.ann, "tag", "it")

    await slack.wait_for(lambda: slack.private(slack.ann))
    assert await texts(slack, slack.ann) == ["looking at it"]
    assert [message["text"] for message in await slack.messages(slack.pics)] == ["a cat"]


async def test_a_command_that_nobody_answers_is_said_to_have_failed(slack: SlackEmulator, bot: Bot) -> None:
    slack.set(ack_s=0.3)
    await bot.connect()

    await slack.command(slack.pics, slack.ann, "unknown")

    await slack.wait_for(lambda: slack.private(slack.ann))
    assert await texts(slack, slack.ann) == ['/unknown failed with the error "dispatch_failed"']
    assert [delivery.attempts for delivery in slack.deliveries] == [1]


async def test_a_command_that_is_answered_with_invalid_blocks_is_said_to_have_failed(slack: SlackEmulator, bot: Bot) -> None:
    @bot.app.command("/tag")
    async def on_tag(ack: Any) -> None:
        await ack(text="a cat", blocks=[{"type": "section"}])

    await bot.connect()
    await slack.command(slack.pics, slack.ann, "tag")

    await slack.wait_for(lambda: slack.private(slack.ann))
    assert await texts(slack, slack.ann) == ['/tag failed with the error "invalid_command_response"']


async def test_the_app_answers_by_response_url_where_it_is_no_member(slack: SlackEmulator, bot: Bot) -> None:
    await slack.remove_bot(slack.pics)

    @bot.app.command("/tag")
    async def on_tag(ack: Any, respond: Any, client: AsyncWebClient) -> None:
        await ack()
        with pytest.raises(SlackApiError, match="not_in_channel"):
            await client.chat_postMessage(channel=slack.pics, text="lost")
        await respond("found")

    await bot.connect()
    await slack.command(slack.pics, slack.ann, "tag")

    await slack.wait_for(lambda: slack.private(slack.ann))
    assert (await texts(slack, slack.ann), await slack.messages(slack.pics)) == (["found"], [])


@pytest.fixture
async def response_url(slack: SlackEmulator, bot: Bot) -> str:
    """Return the response URL of a command."""

    @bot.app.command("/tag")
    async def on_tag(ack: Any) -> None:
        await ack()

    await bot.connect()
    await slack.command(slack.pics, slack.ann, "tag")
    url: str = slack.deliveries[0].payload["response_url"]
    return url


async def test_a_response_url_is_good_for_five_answers(
    slack: SlackEmulator, http: aiohttp.ClientSession, response_url: str
) -> None:
    statuses = [(await http.post(response_url, json={"text": str(number)})).status for number in range(5)]
    last = await http.post(response_url, json={"text": "5"})

    assert (statuses, last.status, await last.json()) == ([200] * 5, 404, {"ok": False, "error": "used_url"})
    assert await texts(slack, slack.ann) == ["0", "1", "2", "3", "4"]


async def test_a_response_url_is_good_for_half_an_hour(
    slack: SlackEmulator, http: aiohttp.ClientSession, response_url: str
) -> None:
    await slack.advance_clock(29 * 60)
    before = await http.post(response_url, json={"text": "a"})
    await slack.advance_clock(2 * 60)
    after = await http.post(response_url, json={"text": "b"})

    assert (before.status, after.status, (await after.json())["error"]) == (200, 404, "expired_url")


@pytest.mark.parametrize(("fault", "error"), [("response_url_used", "used_url"), ("response_url_expired", "expired_url")])
async def test_a_response_url_is_worn_out_at_the_switch(
    slack: SlackEmulator, http: aiohttp.ClientSession, response_url: str, fault: str, error: str
) -> None:
    slack.fault(fault, times=1)

    refused, allowed = [await http.post(response_url, json={"text": "a"}) for _ in range(2)]

    assert ((await refused.json())["error"], allowed.status) == (error, 200)


async def test_invalid_blocks_are_refused_by_a_response_url_too(http: aiohttp.ClientSession, response_url: str) -> None:
    refused = await http.post(response_url, json={"text": "a", "blocks": [{"type": "section"}]})

    assert (refused.status, await refused.text()) == (400, "invalid_blocks")


async def test_of_buttons_with_one_id_the_value_says_which_is_pressed(
    slack: SlackEmulator, bot: Bot, client: AsyncWebClient
) -> None:
    await bot.connect()
    blocks = [*button(value="w7:1"), button(value="w7:2")[0] | {"block_id": "c"}]
    message = (await client.chat_postMessage(channel=slack.pics, text="made", blocks=blocks))["ts"]

    await slack.press(slack.pics, message, slack.ann, "case_delete", "w7:2")

    (press,) = await slack.wait_for(lambda: [one.payload for one in slack.deliveries if one.kind == "interactive"])
    assert [(each["value"], each["block_id"]) for each in press["actions"]] == [("w7:2", "c")]
    with pytest.raises(ValueError, match="no element"):
        await slack.press(slack.pics, message, slack.ann, "case_delete", "w7:9")


@pytest.mark.parametrize("change", ["replace_original", "delete_original"])
@pytest.mark.parametrize("ephemeral", [True, False])
async def test_a_press_changes_the_message_that_it_was_made_in(
    slack: SlackEmulator, bot: Bot, client: AsyncWebClient, change: str, ephemeral: bool
) -> None:
    @bot.app.action("case_delete")
    async def on_press(ack: Any, respond: Any) -> None:
        await ack()
        await respond(text="done", **{change: True})

    await bot.connect()
    if ephemeral:
        ask = await client.chat_postEphemeral(channel=slack.pics, user=slack.ann, text="sure?", blocks=button())
        message = ask["message_ts"]
    else:
        message = (await client.chat_postMessage(channel=slack.pics, text="sure?", blocks=button()))["ts"]
    await slack.press(slack.pics, message, slack.ann, "case_delete")
    await slack.wait_for(lambda: slack.calls[-1].method == "response_url" and slack.calls[-1].status)

    left = await (slack.private(slack.ann) if ephemeral else slack.messages(slack.pics))
    assert [(one["text"], "blocks" in one) for one in left] == ([("done", False)] if change == "replace_original" else [])
    (press,) = [one.payload for one in slack.deliveries if one.kind == "interactive"]
    assert press["container"]["is_ephemeral"] is ephemeral


async def test_a_button_in_direct_messages_opens_a_form(slack: SlackEmulator, bot: Bot, client: AsyncWebClient) -> None:
    @bot.app.action("appeal")
    async def on_press(ack: Any, body: Json) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal())

    await bot.connect()
    asked = await client.chat_postMessage(channel=slack.ann, text="taken out", blocks=button("appeal"))
    await slack.press(asked["channel"], asked["ts"], slack.ann, "appeal")

    assert (await slack.wait_for(lambda: slack.form(slack.ann)))["callback_id"] == "remix"
    (press,) = [one.payload for one in slack.deliveries if one.kind == "interactive"]
    assert press["channel"] == {"id": asked["channel"], "name": "directmessage"}
    assert press["container"]["channel_id"] == await slack.direct(slack.ann)
    with pytest.raises(ApiError, match="channel_not_found"):  # nobody else sees it
        await slack.press(asked["channel"], asked["ts"], slack.bob, "appeal")


async def test_there_must_be_a_button_to_press(slack: SlackEmulator, client: AsyncWebClient) -> None:
    message = (await client.chat_postMessage(channel=slack.pics, text="sure?", blocks=button()))["ts"]

    with pytest.raises(ValueError, match="case_allow"):
        await slack.press(slack.pics, message, slack.ann, "case_allow")


async def test_a_form_is_opened_refused_filled_in_again_and_taken(slack: SlackEmulator, bot: Bot) -> None:
    taken: list[str] = []

    @bot.app.shortcut("remix_message")
    async def on_shortcut(ack: Any, client: AsyncWebClient, shortcut: Json) -> None:
        await ack()
        await client.views_open(trigger_id=shortcut["trigger_id"], view=modal())

    @bot.app.view("remix")
    async def on_submit(ack: Any, view: Json) -> None:
        prompt = view["state"]["values"]["prompt"]["value"]["value"]
        if len(prompt) < 3:
            await ack(response_action="errors", errors={"prompt": "too short"})
        else:
            await ack()
            taken.append(prompt)

    await bot.connect()
    message = await slack.post(slack.pics, slack.bob, "look")
    await slack.shortcut(slack.pics, slack.ann, message, "remix_message")
    form = await slack.wait_for(lambda: slack.form(slack.ann))
    await slack.submit(slack.ann, form["id"], {"prompt": "x"})
    refused = await slack.wait_for(lambda: open_with_errors(slack))
    await slack.submit(slack.ann, form["id"], {"value": "snow"})
    await slack.wait_for(lambda: taken)

    await slack.wait_for(lambda: closed(slack))
    assert (refused["errors"], taken) == ({"prompt": "too short"}, ["snow"])


async def open_with_errors(slack: SlackEmulator) -> Json | None:
    form = await slack.form(slack.ann)
    return form if form and form["errors"] else None


async def closed(slack: SlackEmulator) -> bool:
    return await slack.form(slack.ann) is None


@pytest.fixture
async def trigger(slack: SlackEmulator, bot: Bot) -> str:
    """Return the trigger of a command that was acknowledged."""

    @bot.app.command("/remix")
    async def on_remix(ack: Any) -> None:
        await ack()

    await bot.connect()
    return await slack.command(slack.pics, slack.ann, "remix")


async def test_a_trigger_opens_one_form(client: AsyncWebClient, trigger: str) -> None:
    await client.views_open(trigger_id=trigger, view=modal())

    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await client.views_open(trigger_id=trigger, view=modal())


async def test_a_trigger_lives_for_three_seconds(slack: SlackEmulator, client: AsyncWebClient, trigger: str) -> None:
    await slack.advance_clock(3.1)

    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await client.views_open(trigger_id=trigger, view=modal())


@pytest.mark.parametrize(
    ("fault", "error"), [("trigger_expired", "expired_trigger_id"), ("trigger_exchanged", "exchanged_trigger_id")]
)
async def test_a_trigger_is_worn_out_at_the_switch(
    slack: SlackEmulator, client: AsyncWebClient, bot: Bot, fault: str, error: str
) -> None:
    slack.fault(fault, times=1)
    worn, good = [await slack.command(slack.pics, slack.ann, "remix") for _ in range(2)]

    with pytest.raises(SlackApiError, match=error):
        await client.views_open(trigger_id=worn, view=modal())
    await client.views_open(trigger_id=good, view=modal())


async def test_forms_are_stacked_three_high_and_updated(slack: SlackEmulator, client: AsyncWebClient) -> None:
    triggers = [await slack.command(slack.pics, slack.ann, "remix") for _ in range(4)]
    first = (await client.views_open(trigger_id=triggers[0], view=modal()))["view"]
    pushed = [(await client.views_push(trigger_id=one, view=modal()))["view"] for one in triggers[1:3]]

    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await client.views_push(trigger_id=triggers[3], view=modal())
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=first["id"], hash="1.old", view=modal())
    updated = (await client.views_update(view_id=pushed[-1]["id"], hash=pushed[-1]["hash"], view=modal(callback_id="new")))[
        "view"
    ]

    assert [view["root_view_id"] for view in pushed] == [first["id"]] * 2
    assert pushed[-1]["previous_view_id"] == pushed[0]["id"]
    on_top = await slack.form(slack.ann)
    assert on_top
    assert (on_top["id"], on_top["callback_id"], updated["hash"] != pushed[-1]["hash"]) == (pushed[-1]["id"], "new", True)


@pytest.mark.parametrize(
    ("values", "problem"), [({}, "must be filled in"), ({"prompt": "a", "style": "b"}, "no field 'style'")]
)
async def test_a_form_is_filled_in_as_it_is(slack: SlackEmulator, client: AsyncWebClient, values: Json, problem: str) -> None:
    trigger = await slack.command(slack.pics, slack.ann, "remix")
    await client.views_open(trigger_id=trigger, view=modal())
    form = await slack.form(slack.ann)
    assert form

    with pytest.raises(ValueError, match=problem):
        await slack.submit(slack.ann, form["id"], values)


async def test_a_choice_is_one_of_the_options(slack: SlackEmulator, client: AsyncWebClient, bot: Bot) -> None:
    options = [{"text": {"type": "plain_text", "text": name.title()}, "value": name} for name in ("spam", "harm")]
    element = {"type": "static_select", "action_id": "a", "options": options, "initial_option": options[0]}
    block = {"type": "input", "block_id": "why", "label": {"type": "plain_text", "text": "Why"}, "element": element}
    trigger = await slack.command(slack.pics, slack.ann, "report")
    form = (await client.views_open(trigger_id=trigger, view=modal(blocks=[block])))["view"]

    with pytest.raises(ValueError, match="no option 'fun'"):
        await slack.submit(slack.ann, form["id"], {"why": "fun"})
    await slack.submit(slack.ann, form["id"], {})
    await slack.submit(slack.ann, form["id"], {"why": "harm"})
    await slack.wait_for(lambda: len(slack.deliveries) == 3)

    states = [delivery.payload["view"]["state"]["values"]["why"]["a"] for delivery in slack.deliveries[1:]]
    assert [state["selected_option"]["value"] for state in states] == ["spam", "harm"]


async def test_the_home_tab_is_shown_and_its_buttons_work(slack: SlackEmulator, client: AsyncWebClient, bot: Bot) -> None:
    pressed: list[str] = []
    await slack.subscribe(["app_home_opened"])

    @bot.app.event("app_home_opened")
    async def on_home(event: Json, client: AsyncWebClient) -> None:
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": button("open_dashboard")})

    @bot.app.action("open_dashboard")
    async def on_press(ack: Any, body: Json) -> None:
        await ack()
        pressed.append(body["container"]["type"])

    await bot.connect()
    await slack.open_home(slack.ann)
    await slack.wait_for(lambda: any(call.method == "views.publish" and call.status for call in slack.calls))
    await slack.press_form(slack.ann, "open_dashboard")

    assert await slack.wait_for(lambda: pressed) == ["view"]
