"""The client of ModelsLab against the emulator, with each of its faults switched on in turn."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

import bot.downloads
from pipelines.errors import Misconfigured
from pipelines.generation.failures import REJECTIONS, FailureKind, GenerationFailed
from pipelines.generation.modelslab import BROUGHT_BYTES, ModelsLab
from pipelines.generation.wish import MakerJob
from pipelines.media.kinds import kind_of
from tests.generation.making_at import KEY, LIMIT_BYTES, Side, a_side, an_order, tell_all

FINE = "made"
SLOW = ("slow_headers", "drip_body", "stall_mid")

# What a submit comes to that is answered with this fault, and whether a job was made.
SUBMITS: dict[str, tuple[FailureKind | str, int]] = {
    "warmup": ("warming", 0),
    "invalid_key": ("auth", 0),
    "no_key": ("auth", 0),
    "credits": ("credits", 0),
    "premium": ("auth", 0),
    "rate_limit": ("rate_limited", 0),
    "queue_full": ("queue_full", 0),
    "spam_dup": ("rate_limited", 0),
    "validation_str": ("validation", 0),
    "validation_dict": ("validation", 0),
    "validation_list": ("validation", 0),
    "http_500": ("upstream", 0),
    "503": ("upstream", 0),
    "redirect_307": ("bad_response", 0),
    "reset_before": ("unclear", 0),
    "empty_body": ("unclear", 0),
    "502_html": ("unclear", 0),
    "524_html": ("unclear", 1),
    "524_json": ("unclear", 1),
    "truncated_json": ("unclear", 1),
    "json_array": ("unclear", 1),
    "slow_headers": ("unclear", 1),
    "drip_body": ("unclear", 1),
    "reset_after_accept": ("unclear", 1),
    "error_with_result": (FINE, 1),
}
REFUSALS = [name for name, (kind, _) in SUBMITS.items() if kind in (REJECTIONS | {"auth", "credits", "validation"})]
# The same for a poll: whatever may pass, passes.
POLLS = {name: kind if kind in ("auth", "credits", "validation") else FINE for name, (kind, _) in SUBMITS.items()}
# What becomes of a job with this fault.
JOBS: list[tuple[str, Any, FailureKind | str]] = [
    ("processing_n", 3, FINE),
    ("try_again_poll", 3, FINE),
    ("not_found_early", 3, FINE),
    ("not_found_forever", None, "lost"),
    ("failed_final", None, "failed"),
    ("provider_error", None, "failed"),
    ("stuck", None, "late"),
    ("unknown_status", None, "bad_response"),
    *(("eta_lie", eta, FINE) for eta in (0, 2, 7200, '"12"', "null", 3.7)),
    *((f"processing_{how}", None, FINE) for how in ("no_id", "no_fetch_result", "no_eta", "output_string", "messege")),
    ("proxy_dict", None, FINE),
    ("proxy_null", None, FINE),
    ("output_string", None, FINE),
    ("output_null", None, "bad_response"),
    ("output_null", 3, FINE),
    ("output_empty", None, "bad_response"),
    ("output_empty", 3, FINE),
    ("fewer_outputs", None, "bad_response"),
    ("id_string", None, FINE),
    ("nsfw_silent", None, FINE),
    ("meta_rewrite", None, FINE),
    *(("evil_fetch_result", where, FINE) for where in ("foreign", "loopback", "link-local", "file")),
    *(("evil_output", where, "bad_response") for where in ("foreign", "loopback", "link-local", "file")),
    ("inline_base64", None, FINE),
    ("data_uri", None, FINE),
    ("base64_file", None, FINE),
    ("no_extension", None, FINE),
    ("jpg_named_png", None, FINE),
    ("url_404_k", 5, FINE),
    ("url_404_forever", None, "bad_response"),
    ("url_403_expired", None, "bad_response"),
    ("proxy_only", None, FINE),
    ("stall_mid", None, "upstream"),
    ("short_length", None, "upstream"),
    ("text_plain", None, FINE),
    ("html_as_image", None, "bad_response"),
    ("huge", None, "bad_response"),
]


@pytest.fixture(autouse=True)
def nothing_tells_the_key(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(bot.downloads, "PAUSES_S", (0.001,))
    with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as logged:
        yield
    assert KEY not in caplog.text
    assert KEY not in repr(logged)
    assert "red boat" not in caplog.text + repr(logged)


@pytest.fixture
async def side(request: pytest.FixtureRequest) -> AsyncIterator[Side]:
    given = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    async with a_side(impatient=given.get("fault") in SLOW) as side:
        yield side


async def outcome(side: Side, **more: Any) -> FailureKind | str:
    """Make something; return what it came to, once it is certain that an exception tells nothing."""
    try:
        _, data = await side.made(an_order(**more))
    except GenerationFailed as error:
        failure = error
    else:
        return FINE if kind_of(data) is not None else "nothing"
    assert KEY not in tell_all(failure)
    assert (failure.__cause__, failure.__context__) == (None, None)
    return failure.kind


@pytest.mark.parametrize("fault", SUBMITS)
async def test_a_submit_is_sent_once_whatever_answers_it(side: Side, fault: str) -> None:
    side.emulator.fault(fault)

    came_to = await outcome(side)

    assert (came_to, side.emulator.accepted) == SUBMITS[fault]
    assert len(side.emulator.submits) == 1
    assert side.emulator.foreign == []


@pytest.mark.parametrize("errors", ["200", "200+code"])
@pytest.mark.parametrize("fault", REFUSALS)
async def test_a_refusal_is_known_without_its_status(fault: str, errors: str) -> None:
    async with a_side(errors=errors) as side:
        side.emulator.fault(fault)

        came_to = await outcome(side)

    # Its `code` tells no more of a full queue than that it is a rate limit.
    assert came_to == SUBMITS[fault][0] or (fault, came_to, errors) == ("queue_full", "rate_limited", "200+code")


@pytest.mark.parametrize("fault", POLLS)
async def test_a_poll_is_repeated_until_it_is_answered(side: Side, fault: str) -> None:
    side.emulator.fault(fault, at="fetch")

    assert await outcome(side) == POLLS[fault]
    assert len(side.emulator.submits) == 1
    assert side.emulator.foreign == []


@pytest.mark.parametrize(("fault", "value", "expected"), JOBS)
async def test_a_job_ends_well_or_with_its_reason(side: Side, fault: str, value: Any, expected: str) -> None:
    side.emulator.fault(fault, value=value)

    assert await outcome(side) == expected
    assert len(side.emulator.submits) == 1
    assert side.emulator.foreign == []


@pytest.mark.parametrize(
    ("fault", "wait_s"), [("warmup", 5), ("rate_limit", 30), ("queue_full", 30), ("spam_dup", 30), ("credits", None)]
)
async def test_a_refusal_says_how_long_to_wait(side: Side, fault: str, wait_s: float | None) -> None:
    side.emulator.fault(fault)

    with pytest.raises(GenerationFailed) as refused:
        await side.maker.submit(an_order())

    assert refused.value.retry_after_s == wait_s


async def test_a_job_is_first_asked_about_within_a_minute_whatever_its_estimate(side: Side) -> None:
    side.emulator.fault("eta_lie", value=7200)

    await side.made(an_order())

    assert side.naps[0] == 60


async def test_pauses_grow_to_ten_seconds(side: Side) -> None:
    job = MakerJob(handle="1", family="v6/images", state="running", eta_s=None)

    pauses = [side.maker.pause_s(job, polls) for polls in (0, 1, 2, 3, 4, 99)]

    assert pauses[0] == 3
    for pause, most in zip(pauses[1:], (3, 4.5, 6.75, 10, 10), strict=True):
        assert most * 0.8 <= pause <= most


async def test_a_job_that_is_not_found_for_a_minute_is_lost_also_after_a_restart(side: Side) -> None:
    side.emulator.fault("not_found_forever")
    job = await side.maker.poll(await side.maker.submit(an_order()))

    side.emulator.advance(59)
    job = await side.maker.poll(MakerJob.model_validate_json(job.model_dump_json()))
    side.emulator.advance(2)
    with pytest.raises(GenerationFailed) as lost:
        await side.maker.poll(job)

    assert lost.value.kind == "lost"


async def test_a_result_that_is_late_is_asked_for_every_three_seconds(side: Side) -> None:
    side.emulator.fault("proxy_null")
    side.emulator.fault("url_404_k", value=5)
    job = await side.done(await side.maker.submit(an_order()))
    side.naps.clear()

    await side.maker.fetch(job, limit_bytes=LIMIT_BYTES)

    assert side.naps == [3.0] * 5
    assert len(set(side.asked)) == 1


async def test_the_second_address_is_tried_where_the_first_has_nothing(side: Side) -> None:
    side.emulator.fault("proxy_only")

    await side.made(an_order())

    assert ["/proxy/" in url for url in side.asked] == [False, True]


async def test_a_result_that_appears_after_forty_seconds_is_had_without_a_second_address(side: Side) -> None:
    side.emulator.fault("proxy_null")
    side.emulator.fault("url_404_k", value=14)  # three seconds apart

    await side.made(an_order())

    assert len(side.asked) == 15


async def test_the_flag_and_the_seed_are_told_and_the_rewritten_prompt_is_not(side: Side) -> None:
    side.emulator.fault("nsfw")
    side.emulator.fault("meta_rewrite")

    job, _ = await side.made(an_order(seed=7))

    assert (job.nsfw, job.seed) == (True, 7)
    assert "masterpiece" not in job.model_dump_json()


async def test_equal_orders_are_not_equal_requests(side: Side) -> None:
    jobs = [await side.maker.submit(an_order()) for _ in range(2)]

    assert jobs[0].seed != jobs[1].seed
    assert [submit.body["seed"] for submit in side.emulator.submits] == [job.seed for job in jobs]


async def test_a_model_that_takes_no_seed_is_said_to_have_none(side: Side) -> None:
    job = await side.maker.submit(an_order(model="flux-2-pro", aspect="1:1", seed=7))

    assert "seed" not in side.emulator.submits[0].body
    assert job.seed is None


async def test_where_nobody_listens_nothing_was_sent(unused_tcp_port: int) -> None:
    address = f"http://127.0.0.1:{unused_tcp_port}/api"

    async with ModelsLab(key=SecretStr(KEY), base_url=address, download=_no_download) as maker:
        with pytest.raises(GenerationFailed) as refused:
            await maker.submit(an_order())

    assert refused.value.kind == "away"
    assert KEY not in tell_all(refused.value)


async def test_a_cancelled_submit_returns_when_its_request_has_ended() -> None:
    """Who frees the slot of a request that is still under way would let one too many in."""
    let_go, begun = asyncio.Event(), asyncio.Event()

    async def hold(_: object) -> None:
        begun.set()
        await let_go.wait()

    async with a_side() as side:
        side.emulator.on_submit_accepted = hold
        submitting = asyncio.create_task(side.maker.submit(an_order()))
        await begun.wait()
        for _ in range(2):
            submitting.cancel()
            await asyncio.wait({submitting}, timeout=0.05)
            assert not submitting.done()
        let_go.set()
        with pytest.raises(asyncio.CancelledError):
            await submitting

        assert len(side.emulator.submits) == 1


async def test_a_picture_is_brought_and_varied(side: Side) -> None:
    _, picture = await side.made(an_order())
    source = await side.maker.bring(picture, "image/png")

    _, varied = await side.made(an_order(operation="vary", source=source, strength=0.35))

    assert side.emulator.submits[-1].body["init_image"] == source
    assert varied != picture


async def test_bringing_costs_nothing_and_is_tried_again(side: Side) -> None:
    side.emulator.fault("http_500", at="upload", times=2)

    assert (await side.maker.bring(b"\x89PNG\r\n\x1a\n", "image/png")).startswith(side.emulator.origin)
    assert side.naps == [1, 3]


@pytest.mark.parametrize(("picture", "media_type"), [(bytes(BROUGHT_BYTES + 1), "image/png"), (b"<svg/>", "image/svg+xml")])
async def test_what_cannot_be_brought_is_not_sent(side: Side, picture: bytes, media_type: str) -> None:
    with pytest.raises(GenerationFailed) as refused:
        await side.maker.bring(picture, media_type)

    assert refused.value.kind == "validation"
    assert side.emulator.requests == []


async def test_the_balance_is_exact(side: Side) -> None:
    assert await side.maker.balance() == Decimal("43.6")


@pytest.mark.parametrize("fault", ["invalid_key", "http_500", "empty_body", "reset_before", "redirect_307"])
async def test_a_balance_that_cannot_be_had_says_why(side: Side, fault: str) -> None:
    side.emulator.fault(fault, at="balance", times=None)

    with pytest.raises(GenerationFailed) as refused:
        await side.maker.balance()

    assert refused.value.kind == {"invalid_key": "auth", "redirect_307": "bad_response"}.get(fault, "upstream")
    assert KEY not in tell_all(refused.value)
    assert side.emulator.foreign == []


async def test_what_is_not_offered_is_not_sent(side: Side) -> None:
    for order in (an_order(model="nobody"), an_order(operation="upscale")):
        with pytest.raises(GenerationFailed) as refused:
            await side.maker.submit(order)

        assert refused.value.kind == "validation"
    assert side.emulator.requests == []


async def test_an_operator_names_prices_and_slots() -> None:
    async with ModelsLab(
        key=SecretStr(KEY), max_in_flight=15, prices={"flux": Decimal("0.01")}, download=_no_download
    ) as maker:
        assert (maker.models["flux"].price_usd, maker.models["fast"].price_usd) == (Decimal("0.01"), None)
        assert maker.slots == 15
        assert KEY not in maker.account

    with pytest.raises(Misconfigured, match="fluxx"):
        ModelsLab(key=SecretStr(KEY), prices={"fluxx": Decimal(1)}, download=_no_download)


async def _no_download(url: str, *, limit_bytes: int) -> bytes:
    raise AssertionError(url)
