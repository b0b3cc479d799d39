"""Forms as dialogs, and what comes back from them."""

from typing import Any

import pytest

from bot.discord.forms import modal, read
from bot.discord.views import PersistentButton, Pressed, read_button
from emulators.discord.components import check_form
from handlers.commands import SHORTCUTS
from handlers.forms import Form, FormField
from tests.discord_side.acting.conftest import Discord

SETUP = Form(
    name="setup",
    title="Set up Flashbulb",
    fields=(
        FormField(name="watched", label="Channels to watch", control="channels", required=False, value="11 12", hint="All."),
        FormField(name="log_channel", label="Channel for cases", control="channel", value="13"),
        FormField(
            name="mode", label="Mode", control="choice", options=(("shadow", "Shadow"), ("enforce", "Enforce")), value="shadow"
        ),
        FormField(name="note", label="Note", control="lines", required=False, max_chars=500, value="so far"),
    ),
    submit="Save",
    about="77",
)


async def test_a_form_is_a_dialog_that_discord_takes_with_what_is_chosen_now() -> None:
    made = modal(SETUP, "9").to_dict()

    check_form(dict(made))
    controls = {each["component"]["custom_id"]: each["component"] for each in made["components"]}
    assert made["custom_id"] == "ff:9:setup:77"
    assert [each["id"] for each in controls["watched"]["default_values"]] == [11, 12]
    assert (controls["watched"]["min_values"], controls["watched"]["max_values"]) == (0, 25)
    assert [each["id"] for each in controls["log_channel"]["default_values"]] == [13]
    assert [each["value"] for each in controls["mode"]["options"] if each["default"]] == ["shadow"]
    assert (controls["note"]["value"], controls["note"]["style"], controls["note"]["required"]) == ("so far", 2, False)


async def test_nothing_about_an_opened_form_is_kept() -> None:
    assert modal(SETUP, "9").is_finished()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(
            {
                "custom_id": "ff:9:setup:7:7",
                "components": [
                    {"type": 18, "component": {"type": 8, "custom_id": "watched", "values": ["11", "12"]}},
                    {"type": 18, "component": {"type": 8, "custom_id": "log_channel", "values": []}},
                    {"type": 18, "component": {"type": 4, "custom_id": "note", "value": "so"}},
                    {"type": 10, "id": 4},
                ],
            },
            ("9", "setup", "7:7", {"watched": "11 12", "log_channel": "", "note": "so"}),
            id="ours",
        ),
        pytest.param({"custom_id": "other:setup:1", "components": []}, None, id="somebody-elses"),
        pytest.param({"custom_id": "ff:setup:7:7", "components": []}, None, id="of-another-version"),
        pytest.param({}, None, id="empty"),
    ],
)
def test_what_comes_back_is_read_from_the_wire_alone(data: dict[str, Any], expected: object) -> None:
    assert read(data) == expected


async def test_a_form_opens_comes_back_and_says_what_was_chosen(discord: Discord) -> None:
    message = await discord.emulator.post(discord.emulator.pics, discord.emulator.bob, "bad")
    label = next(each.label for each in SHORTCUTS if each.command == "report")
    await discord.emulator.shortcut(discord.emulator.pics, discord.emulator.ann, message, label)

    async def opened() -> Any:
        return await discord.emulator.form(discord.emulator.ann)

    form = await discord.emulator.wait_for(opened)
    await discord.emulator.submit(discord.emulator.ann, form["custom_id"], {"reason": "rude"})
    submitted = await discord.emulator.wait_for(lambda: [each for each in discord.accepted if each.kind == "form_submitted"])

    assert (submitted[0].form, submitted[0].about, submitted[0].values) == ("report", "1", {"reason": "rude"})


def test_a_button_says_all_that_a_press_needs() -> None:
    pressed = Pressed(workspace="1" * 20, value="abcdefghijkl", button="restore")

    button = PersistentButton(pressed, label="Restore" * 20)

    made = button.to_component_dict()
    assert read_button(made["custom_id"]) == pressed
    assert len(made["custom_id"]) <= 100
    assert len(made["label"]) <= 80
    assert read_button("fb:old") is None
