"""The queue, the credit, the key, what is not valid, and asking about jobs."""

import asyncio
import io
import json
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from PIL import Image

from emulators.modelslab import Job, ModelsLabEmulator
from tests.emulators.modelslab.asking import KEY, REALTIME, Client


async def test_jobs_are_worked_on_first_in_first_out_and_no_more_than_the_slots_are_taken(http: aiohttp.ClientSession) -> None:
    async with ModelsLabEmulator(slots=3, workers=1, work_s=100, sync_wait_s=0) as maker:
        client = Client(emulator=maker, http=http)

        async def states() -> list[str]:
            return [(await client.fetch(job.id)).json["status"] for job in maker.jobs]

        answers = [await client.wish() for _ in range(4)]
        etas = [answer.json["eta"] for answer in answers[:3]]
        counted = (await client.post("v6/processing/request_count")).json["processing_count"]
        maker.advance(150)
        after = await states()
        fourth = await client.wish("v6/video/text2video_ultra")
        full = await client.wish("v6/voice/sfx")
        maker.advance(1000)

        assert [answer.status for answer in answers] == [200, 200, 200, 429]
        assert answers[3].json["current_queue"] == counted == 3
        assert etas == [100, 200, 300]
        assert after == ["success", "processing", "processing"]
        assert (fourth.status, full.status) == (200, 429)
        assert await states() == ["success"] * 3 + ["failed"], "the clip is not among the pictures"
        assert (maker.accepted, maker.peak_in_flight, maker.in_flight) == (4, 3, 0)
        assert [job.id for job in maker.jobs] == sorted(job.id for job in maker.jobs)


async def test_a_stuck_job_keeps_its_slot(http: aiohttp.ClientSession) -> None:
    async with ModelsLabEmulator(slots=1, work_s=0) as maker:
        client = Client(emulator=maker, http=http)
        maker.fault("stuck")

        await client.wish()
        maker.advance(10_000)

        assert (await client.wish()).status == 429


async def test_each_job_takes_its_price_until_nothing_is_left(http: aiohttp.ClientSession) -> None:
    async with ModelsLabEmulator(work_s=0, wallet_usd=Decimal("0.21")) as maker:
        client = Client(emulator=maker, http=http)

        statuses = [(await client.wish(path)).status for path in ("v6/video/text2video_ultra", REALTIME, REALTIME)]
        balance = (await client.post("wallet_balance")).json

    assert statuses == [200, 200, 402]
    assert balance == {"status": "success", "data": {"balance": 0.0, "currency": "USD"}}


async def test_other_keys_and_models_are_refused(http: aiohttp.ClientSession) -> None:
    async with ModelsLabEmulator(key="right", models=("flux",), work_s=0) as maker:
        client = Client(emulator=maker, http=http)

        answers = [await client.wish(), await client.wish(key=""), await client.wish(key="right", model_id="none")]

        assert [(answer.status, answer.json["message"]) for answer in answers] == [
            (401, "Invalid API key"),
            (401, "API key required"),
            (400, "Model not found: none"),
        ]
        assert maker.accepted == 0
        assert "right" not in str(maker.requests)


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        (REALTIME, {"prompt": None}, "prompt is required"),
        (REALTIME, {"prompt": 5}, "prompt must be a string"),
        (REALTIME, {"width": 2000}, "width must be between 256 and 1024"),
        (REALTIME, {"height": "301"}, "height must be divisible by 8"),
        (REALTIME, {"samples": 5}, "samples must be between 1 and 4"),
        (REALTIME, {"guidance_scale": 0}, "guidance_scale must be between 1 and 20"),
        ("v6/images/text2img", {"model_id": ""}, "model_id is required"),
        (
            "v6/images/img2img",
            {"init_image": "aGk="},
            "init image must be a valid url when base64",
        ),
        ("v6/images/img2img", {"init_image": ["http://x"]}, "init_image must be a string"),
        ("v6/image_editing/qwen_edit", {"init_image": "http://127.0.0.1:9/x.png"}, "Unable to fetch image from provided URL"),
        ("v6/video/text2video_ultra", {"fps": 30}, "fps must be between 1 and 16"),
        ("v7/video-fusion/text-to-video", {"duration": 5}, "duration must be a string"),
        ("v6/voice/text_to_speech", {"voice_id": "x", "language": "english"}, "The selected language is invalid."),
        ("v6/voice/music_gen", {"duration": 5}, "duration must be between 30 and 480"),
        ("v6/voice/song_generator", {}, "lyrics is required"),
        ("v6/base64_to_url", {"base64_string": "%%%"}, "The base64 string is invalid."),
    ],
)
async def test_what_is_not_valid_is_refused_in_documented_words(client: Client, path: str, body: Any, says: str) -> None:
    answer = await client.wish(path, **body)

    assert (answer.status, answer.json["status"], answer.json["message"][: len(says)]) == (400, "error", says)
    assert client.emulator.accepted == 0


async def test_numbers_and_switches_may_come_as_texts(client: Client) -> None:
    said = (await client.wish(width="512", samples="2", safety_checker="yes", instant_response="no", seed="7")).json

    assert (len(said["output"]), said["meta"]["W"], said["meta"]["safety_checker"], said["meta"]["seed"]) == (2, 512, "yes", 7)


async def test_a_body_that_is_no_json_is_named(client: Client) -> None:
    async with client.http.post(f"{client.emulator.base_url}/{REALTIME}", data=b"prompt=hi") as response:
        said = await response.json()

    assert (response.status, said["message"]) == (200, "Invalid API Request")


async def test_the_seed_is_told_by_the_submit_alone(client: Client) -> None:
    submitted = (await client.wish()).json
    fetched = (await client.fetch(submitted["id"])).json

    assert 0 <= submitted["meta"]["seed"] < 2**32
    assert fetched.keys() == {"status", "id", "output", "proxy_links"}
    assert fetched["output"] == submitted["output"]


@pytest.mark.parametrize(
    ("path", "family"),
    [
        (REALTIME, "v6/realtime"),
        ("v7/images/text-to-image", "v6/images"),
        ("v6/video/text2video_ultra", "v6/video"),
        ("v7/video-fusion/text-to-video", "v7/video-fusion"),
        ("v6/voice/sfx", "v6/voice"),
    ],
)
async def test_a_job_is_asked_about_in_its_family(client: Client, path: str, family: str) -> None:
    job = (await client.wish(path, instant_response="yes")).json["id"]

    assert (await client.fetch(job, family)).json["status"] == "success"
    assert (await client.fetch(job, "v6/image_editing")).json["message"] == "Request not found"


async def test_pictures_can_be_asked_for_by_request_id(client: Client) -> None:
    job = (await client.wish()).json["id"]

    assert (await client.post("v6/images/fetch", request_id=job)).json["status"] == "success"


async def test_a_hook_holds_a_submit_whose_job_exists(client: Client) -> None:
    held, polled = asyncio.Event(), []

    async def hold(job: Job) -> None:
        await held.wait()

    async def note(job: Job) -> None:
        polled.append(job.id)

    client.emulator.on_submit_accepted, client.emulator.on_poll = hold, note
    waiting = asyncio.create_task(client.wish())
    await client.emulator.wait_for(lambda: client.emulator.accepted == 1)

    assert not waiting.done()
    (job,) = client.emulator.jobs
    await client.fetch(job.id)
    held.set()
    assert (await waiting).json["id"] == job.id
    assert polled == [job.id]


async def test_files_end_with_their_time_and_when_deleted(client: Client) -> None:
    old, deleted = (await client.wish()).json, (await client.wish()).json

    gone = await client.post("v3/delete_image", request_id=deleted["id"], type="image")
    assert gone.json == {"status": "success", "messege": "image deleted"}
    assert (await client.get(deleted["output"][0]))[0] == 404
    client.emulator.advance(24 * 60 * 60)
    assert (await client.get(old["output"][0]))[0] == 403


async def test_what_is_brought_may_have_five_megabytes(client: Client) -> None:
    body = io.BytesIO(json.dumps({"key": KEY, "base64_string": "A" * 7_000_000}).encode())

    async with client.http.post(
        f"{client.emulator.base_url}/v6/base64_to_url", data=body, headers={"Content-Type": "application/json"}
    ) as response:
        said = await response.json()

    assert (response.status, said["message"]) == (400, "The base64 string must not be greater than 5 MB.")


async def test_an_emulator_without_a_journal_keeps_nothing(http: aiohttp.ClientSession) -> None:
    async with ModelsLabEmulator(work_s=0, journal=False) as maker:
        client = Client(emulator=maker, http=http)
        first = (await client.wish(REALTIME)).json["output"][0]
        await asyncio.gather(*(client.bring(Image.new("L", (1, 1))) for _ in range(64)))

        assert (await client.get(first))[0] == 404
        assert (maker.requests, maker.submits) == ([], [])


def test_it_serves_this_machine_only() -> None:
    with pytest.raises(ValueError, match="not a loopback address"):
        ModelsLabEmulator(host="0.0.0.0")
