"""The rules of components, without a client."""

import pytest

from emulators.discord import Problem
from emulators.discord.components import SEPARATOR, TEXT, V2, number, prepare

ROW = {"type": 1, "components": [{"type": 2, "style": 1, "label": "Up", "custom_id": "up"}]}


def test_missing_ids_are_filled_in_around_those_that_were_sent() -> None:
    components = [{"type": TEXT, "content": "a"}, {"type": TEXT, "content": "b", "id": 1}, {"type": SEPARATOR}]

    number(components)

    assert [each["id"] for each in components] == [2, 1, 3]


@pytest.mark.parametrize(
    ("components", "flags"),
    [
        pytest.param([{"type": TEXT, "content": "a", "id": 1}, {"type": TEXT, "content": "b", "id": 1}], V2, id="same-id"),
        pytest.param([ROW, ROW], 0, id="same-custom-id"),
        pytest.param([{"type": 1, "components": ROW["components"] * 6}], 0, id="six-buttons"),
        pytest.param([{"type": 1, "components": []}], 0, id="empty-row"),
        pytest.param([{"type": 2, "style": 1, "label": "Up", "custom_id": "up"}], V2, id="bare-button"),
        pytest.param([{"type": 1, "components": [{"type": 2, "style": 5, "label": "Go"}]}], 0, id="link-without-address"),
        pytest.param([{"type": 1, "components": [{"type": 2, "style": 1, "custom_id": "x" * 101}]}], 0, id="long-custom-id"),
        pytest.param([{"type": 1, "components": [{"type": 3, "custom_id": "x", "options": []}]}], 0, id="empty-menu"),
        pytest.param([{"type": 9, "components": [{"type": TEXT, "content": "a"}]}], V2, id="section-without-accessory"),
        pytest.param([{"type": 12, "items": []}], V2, id="empty-gallery"),
    ],
)
def test_what_breaks_a_rule_is_refused(components: list, flags: int) -> None:
    with pytest.raises(Problem, match="50035"):
        prepare(components, flags, [])
