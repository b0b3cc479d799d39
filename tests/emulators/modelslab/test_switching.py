"""Where faults come from: code, prompts, other processes."""

import json
from typing import Any

import pytest

from tests.emulators.modelslab.asking import KEY, WISH, Client


async def test_a_prompt_can_ask_for_faults(client: Client) -> None:
    prompt = "a lake [[fault:queue_full]] [[fault:processing_n=1]] [[fault:http_500@fetch=2]]"

    answers = [await client.wish(prompt=prompt) for _ in range(2)]
    fetches = [await client.fetch(answers[1].json["id"]) for _ in range(4)]

    assert [answer.status for answer in answers] == [429, 200]
    assert [fetch.status for fetch in fetches] == [500, 500, 200, 200]
    assert [fetch.json["status"] for fetch in fetches] == ["error", "error", "processing", "success"]
    assert answers[1].json["meta"]["prompt"] == "a lake"


async def test_a_fault_can_stay_on_for_one_kind_of_call(client: Client) -> None:
    client.emulator.fault("503", times=None, at="upload")
    client.emulator.fault("premium", times=None, path="v7/")

    wishes = [(await client.wish()).status, (await client.wish("v7/images/text-to-image")).status]
    uploads = [(await client.post("v6/base64_to_url", base64_string="x")).status for _ in range(2)]
    client.emulator.clear_faults()
    wishes.append((await client.wish("v7/images/text-to-image")).status)

    assert (wishes, uploads) == ([200, 403, 200], [503, 503])


async def test_the_admin_s_routes(client: Client) -> None:
    assert (await client.admin("faults", name="gremlins"))[0] == 400
    await client.admin("faults", name="credits", times=2)
    statuses = [(await client.wish()).status for _ in range(3)]
    before = client.emulator.clock.now_s()
    await client.admin("clock", seconds=3600)
    async with client.http.get(f"{client.emulator.origin}/_admin/journal?after=1") as response:
        journal = await response.json()

    assert statuses == [402, 402, 200]
    assert client.emulator.clock.now_s() - before >= 3600
    assert (len(journal["calls"]), journal["accepted"]) == (2, 1)
    assert journal["calls"][0]["body"]["prompt"] == WISH["prompt"]
    assert KEY not in json.dumps(journal)

    await client.admin("reset")

    assert (client.emulator.accepted, client.emulator.jobs, client.emulator.requests) == (0, [], [])


@pytest.mark.parametrize(
    ("errors", "status", "code"), [("http", 402, None), ("200", 200, None), ("200+code", 200, "insufficient_balance")]
)
async def test_errors_come_with_their_status_or_with_200(client: Client, errors: Any, status: int, code: str | None) -> None:
    client.emulator.errors = errors
    client.emulator.fault("credits")

    answer = await client.wish()

    assert (answer.status, answer.json.get("code"), answer.json["status"]) == (status, code, "error")
