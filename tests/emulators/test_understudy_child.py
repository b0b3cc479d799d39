"""The understudy as the product runs it: a child process behind Gemini's wire format and ModelsLab's."""

import asyncio
import io
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator

import aiohttp
import psutil
import pytest
from PIL import Image
from pydantic import SecretStr

from bot.understudy import Understudy
from pipelines.content import Intake, Part
from pipelines.models import Models, Providers
from pipelines.moderation.judge import Judgement
from pipelines.moderation.moderate import moderate
from pipelines.moderation.policies import preset
from pipelines.moderation.policy import Action, everywhere
from pipelines.ports import UNDERSTUDY
from pipelines.tagging import Tags, tag
from tests.emulators.understudy_questions import a_picture, a_text, findings, gemini_body, said, scene
from tests.fakes import PlainMedia

ASK = "/v1beta/models/gemini-3-flash-preview:generateContent"


@pytest.fixture
async def child() -> AsyncIterator[Process]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "emulators.understudy", "--port", "0", stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    yield child
    if child.returncode is None:
        child.kill()
    await child.communicate()


async def addresses_of(child: Process) -> tuple[str, str]:
    assert child.stdout is not None
    async with asyncio.timeout(15):
        ready, model, maker = (await child.stdout.readline()).decode().split()
    assert ready == "READY"
    return model, maker


async def address_of(child: Process) -> str:
    return (await addresses_of(child))[0]


async def test_it_judges_and_tags_over_gemini_s_wire_format(child: Process, http: aiohttp.ClientSession) -> None:
    address = await address_of(child)
    parts: list[Part] = [a_text("FLASHBULB-TEST-HATE-S3-C95"), a_picture(scene())]

    async with http.post(address + ASK, json=gemini_body(parts, Judgement.model_json_schema())) as response:
        judgement = await response.json()
    async with http.post(address + ASK, json=gemini_body(parts, Tags.model_json_schema())) as response:
        tags = await response.json()

    assert judgement["modelVersion"] == tags["modelVersion"] == "understudy-1"
    assert findings(Judgement.model_validate(said(judgement))) == {"hate": (3, 0.95)}
    assert Judgement.model_validate(said(judgement)).parts == ["text:0", "file:0"]
    assert "photograph" in Tags.model_validate(said(tags)).subjects


async def test_the_product_s_own_clients_judge_and_tag_with_it(child: Process) -> None:
    accounts = Providers(gemini_api_key=SecretStr("understudy"), gemini_base_url=await address_of(child))
    intake = Intake(parts=(a_text("FLASHBULB-TEST-SELF_HARM-S3-C90-KDISTRESS"), a_picture(scene())))

    async with Models(accounts, allow_understudy=True) as models:
        verdict, calls = await moderate(intake, policy=everywhere(preset()), model=models)
        reply = await tag(intake.of(0), model=models, media=PlainMedia())

    assert (verdict.decision, verdict.action, verdict.distress) == ("act", Action.HOLD, True)
    assert (verdict.coverage.judged, verdict.coverage.total) == (2, 2)
    assert verdict.engine == reply.engine == UNDERSTUDY
    assert "photograph" in reply.value().tags
    assert [call.requests for call in (*calls, *reply.calls)] == [1, 1]


async def test_it_draws_what_is_wished_and_says_that_no_model_has(child: Process, http: aiohttp.ClientSession) -> None:
    _, maker = await addresses_of(child)
    wish = {"key": UNDERSTUDY, "prompt": "a teal lake", "width": 512, "height": 256}

    async with http.post(f"{maker}/v6/realtime/text2img", json=wish) as response:
        made = await response.json()
    async with http.get(made["output"][0]) as response:
        picture = Image.open(io.BytesIO(await response.read()))

    assert (made["status"], picture.size) == ("success", (512, 256))
    assert picture.getpixel((500, 254)) == (12, 14, 20), "the strip of the label"


async def test_another_question_is_answered_with_an_error(child: Process, http: aiohttp.ClientSession) -> None:
    address = await address_of(child)

    body = gemini_body([a_text("hello")], {"type": "object", "properties": {"total": {"type": "number"}}})
    async with http.post(address + ASK, json=body) as response:
        error = (await response.json())["error"]

    assert (response.status, error["code"], error["status"]) == (501, 501, "UNIMPLEMENTED")
    assert "GEMINI_API_KEY" in error["message"]


@pytest.mark.parametrize("ending", ["end of input", "SIGTERM"])
async def test_it_ends_with_its_parent_or_when_told_and_says_nothing_more(child: Process, ending: str) -> None:
    await address_of(child)
    assert child.stdin is not None

    if ending == "SIGTERM":
        child.send_signal(signal.SIGTERM)
    else:
        child.stdin.close()

    async with asyncio.timeout(5):
        rest = await child.communicate()
    assert rest == (b"", b"")
    assert child.returncode == 0


async def test_all_share_one_that_is_started_again_at_the_same_addresses(http: aiohttp.ClientSession) -> None:
    again = asyncio.Event()
    wish = {"key": UNDERSTUDY, "prompt": "a teal lake"}

    others = set(psutil.Process().children())
    async with asyncio.timeout(60), Understudy(on_restart=again.set) as understudy:
        addresses, same = await asyncio.gather(understudy.addresses(), understudy.addresses())
        (child,) = set(psutil.Process().children()) - others
        child.kill()
        await again.wait()
        async with http.post(f"{addresses.maker}/v6/realtime/text2img", json=wish) as made:
            status = (await made.json())["status"]
        async with http.get(f"{addresses.model}/v1beta/models") as models:
            listed = await models.json()

    assert addresses is same
    assert status == "success"
    assert listed["models"]


async def test_it_keeps_no_question(child: Process, http: aiohttp.ClientSession) -> None:
    address = await address_of(child)
    memory = psutil.Process(child.pid)
    body = json.dumps(gemini_body([a_picture(b"x" * 2_000_000)], Judgement.model_json_schema())).encode()

    async def memory_after(times: int) -> int:
        for _ in range(times):
            async with http.post(
                address + ASK, data=io.BytesIO(body), headers={"Content-Type": "application/json"}
            ) as response:
                assert response.status == 200
        return int(memory.memory_info().rss)

    before = await memory_after(5)
    after = await memory_after(25)

    assert after - before < 60_000_000, "25 questions of 4.7 MB must not stay in memory"
