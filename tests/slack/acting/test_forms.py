"""Forms are modals: what a person chose comes back with what the form was about."""

import pytest
from pydantic import ValidationError

from bot.slack import forms
from emulators.slack import SlackEmulator
from handlers.forms import MODES, WATCHED_MAX, Form, FormField
from tests.slack.acting.conftest import Desk, at

SETUP = Form(
    name="setup",
    title="Set up Flashbulb",
    fields=(
        FormField(name="watched", label="Channels to watch", control="channels", required=False, value="CPICS CGENERAL"),
        FormField(name="log_channel", label="Channel for cases", control="channel", value="GMODS", hint="A private one."),
        FormField(name="mode", label="Mode", control="choice", options=MODES, value="shadow"),
        FormField(name="name", label="Name", max_chars=80),
        FormField(name="reason", label="Why?", control="lines", required=False, value="because"),
    ),
    submit="Save",
    about="1795398917.000100",
)


async def opened(slack: SlackEmulator, desk: Desk) -> dict:
    trigger = await slack.command(slack.pics, slack.olga, "flashbulb", "setup")
    await desk.web.call("views.open", trigger_id=trigger, view=forms.view(SETUP, at("CPICS", "1.000001")))
    shown = await slack.form(slack.olga)
    assert shown is not None
    return shown


async def submitted(slack: SlackEmulator, shown: dict, values: dict) -> dict:
    await slack.submit(slack.olga, shown["id"], values)
    delivery = await slack.wait_for(
        lambda: next((each for each in slack.deliveries if each.payload.get("type") == "view_submission"), None)
    )
    return delivery.payload["view"]


async def test_a_form_opens_with_what_it_holds(slack: SlackEmulator, desk: Desk) -> None:
    shown = await opened(slack, desk)

    watched, log_channel, mode, name, reason = (block["element"] for block in shown["blocks"])
    assert (shown["title"]["text"], shown["submit"]["text"]) == ("Set up Flashbulb", "Save")
    assert watched["initial_conversations"] == ["CPICS", "CGENERAL"]
    assert watched["max_selected_items"] == WATCHED_MAX
    assert (log_channel["type"], log_channel["initial_conversation"]) == ("conversations_select", "GMODS")
    assert log_channel["filter"]["include"] == ["public", "private"]
    assert (mode["initial_option"]["value"], [option["value"] for option in mode["options"]]) == (
        "shadow",
        ["shadow", "enforce"],
    )
    assert (name["multiline"], name["max_length"], "initial_value" in name) == (False, 80, False)
    assert (reason["multiline"], reason["initial_value"]) == (True, "because")
    assert [block["optional"] for block in shown["blocks"]] == [True, False, False, False, True]
    assert shown["blocks"][1]["hint"]["text"] == "A private one."


async def test_what_a_person_chose_comes_back(slack: SlackEmulator, desk: Desk) -> None:
    shown = await opened(slack, desk)

    view = await submitted(
        slack, shown, {"watched": ["CPICS"], "log_channel": "CGENERAL", "mode": "enforce", "name": "Ada", "reason": ""}
    )

    assert forms.read(view) == (
        "setup",
        "1795398917.000100",
        at("CPICS", "1.000001"),
        {"watched": "CPICS", "log_channel": "CGENERAL", "mode": "enforce", "name": "Ada", "reason": ""},
    )


async def test_what_nobody_touched_comes_back_as_it_was(slack: SlackEmulator, desk: Desk) -> None:
    shown = await opened(slack, desk)

    view = await submitted(slack, shown, {"name": "Ada"})

    _, _, _, values = forms.read(view)
    assert values == {
        "watched": "CPICS CGENERAL",
        "log_channel": "GMODS",
        "mode": "shadow",
        "name": "Ada",
        "reason": "because",
    }


@pytest.mark.parametrize(
    "view",
    [
        {},
        {"callback_id": "setup", "private_metadata": "", "state": {"values": {}}},
        {"callback_id": "setup", "private_metadata": "{}", "state": {"values": {}}},
        {"callback_id": "setup", "private_metadata": '{"about": "", "place": {"channel": 7}}', "state": {"values": {}}},
        {"callback_id": "setup", "private_metadata": 7, "state": []},
    ],
)
def test_what_is_none_of_ours_is_told_apart(view: dict) -> None:
    with pytest.raises(ValidationError):
        forms.read(view)
