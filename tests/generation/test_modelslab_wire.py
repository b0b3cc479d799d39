"""What ModelsLab is told and what it says, by the samples that its documentation and others have published."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.modelslab.operations import OPERATIONS, check
from pipelines.generation.catalogue import OFFERS
from pipelines.generation.failures import FailureKind
from pipelines.generation.languages import LANGUAGES, language_named
from pipelines.generation.modelslab_wire import Answer, Begun, Said, after_poll, after_submit
from pipelines.generation.options import order_of
from pipelines.generation.wish import ASPECTS, Brief, MakerJob, Wish
from tests.generation.making_at import an_order

R2 = "https://pub-3626123a908346a7a8be8d9295f44e26.r2.dev/generations/0-1ec64a77-ef0f-4ccf-932b-0c70e917e526.png"
CDN2 = "https://cdn2.stablediffusionapi.com/generations/0-1ec64a77-ef0f-4ccf-932b-0c70e917e526.png"
SUCCESS = {
    "status": "success",
    "generationTime": 1.96,
    "id": 66752945,
    "output": [R2],
    "proxy_links": [CDN2],
    "nsfw_content_detected": False,
    "meta": {"prompt": "mdjrny-v4 style", "seed": 3166507472, "safety_checker": "no"},
    "tip": "Get 20x faster image generation using enterprise plan.",
}
PROCESSING = {
    "status": "processing",
    "tip": "Your image is processing in background, you can get this image using fetch API",
    "eta": 10,
    "message": "Try to fetch request after seconds estimated",
    "fetch_result": "https://modelslab.com/api/v6/video/fetch/65919758",
    "id": 65919758,
    "output": [],
    "meta": {"seed": 869792957},
    "future_links": ["https://pub-….r2.dev/generations/37c09e3e-c1a4-4786-b211-934a84aadb27.gif"],
}
LOST = {"status": "failed", "id": "", "message": "Request not found", "output": "", "tip": "Try again later"}
TRY_AGAIN = {"status": "failed", "id": "", "message": "Failed, Try Again", "output": ""}
SPAM = "you are sending same request multiple times, spam filter is enabled, please wait for 30 seconds and try again"


def said(body: Any, http_status: int = 200, **headers: str) -> Said:
    answer = Answer.model_validate(body) if isinstance(body, dict) else None
    return Said(
        http_status=http_status, headers={name.replace("_", "-"): text for name, text in headers.items()}, answer=answer
    )


def an_error(message: Any, **more: Any) -> dict[str, Any]:
    return {"status": "error", "message": message} | more


def begun(body: Any, http_status: int = 200) -> str:
    outcome = after_submit(said(body, http_status))
    return outcome.state if isinstance(outcome, Begun) else outcome


# Status, body, and what it means as the answer to a submit and to a poll.
ANSWERS: list[tuple[str, int, Any, str, str]] = [
    ("a result", 200, SUCCESS, "done", "done"),
    ("a result with status 500", 500, SUCCESS, "done", "done"),
    ("processing", 200, PROCESSING, "running", "running"),
    ("processing, no id", 200, {"status": "processing", "message": "loading", "output": ""}, "unclear", "running"),
    ("success without output", 200, {"status": "success", "id": 5, "output": []}, "running", "odd"),
    ("success without anything", 200, {"status": "success"}, "unclear", "odd"),
    ("an unknown status", 200, {"status": "queued", "id": 5}, "running", "odd"),
    ("an id alone", 200, {"id": 5}, "running", "odd"),
    ("nothing", 200, {}, "bad_response", "odd"),
    ("try again", 200, TRY_AGAIN, "warming", "warming"),
    ("try again, with a job", 200, TRY_AGAIN | {"id": 5}, "running", "warming"),
    ("not found", 200, LOST, "validation", "lost"),
    ("not found by status", 404, {}, "validation", "lost"),
    ("invalid key", 401, an_error("Invalid API key"), "auth", "auth"),
    ("invalid key, old", 200, {"status": "error", "messege": "invalid key"}, "auth", "auth"),
    ("no key", 200, an_error("API key required"), "auth", "auth"),
    ("no credits", 402, an_error("Insufficient credits. Please add more credits to continue."), "credits", "credits"),
    ("no subscription", 403, an_error("This feature requires a premium subscription"), "auth", "auth"),
    ("queue full", 429, an_error("Rate limit exceeded. Maximum 5 queued requests allowed."), "queue_full", "queue_full"),
    ("spam", 200, an_error("Rate limit exceeded", tips=SPAM), "rate_limited", "rate_limited"),
    ("no prompt", 400, an_error({"prompt": ["The prompt field is required."]}), "validation", "validation"),
    ("too wide", 200, an_error("width must be between 256 and 1024"), "validation", "validation"),
    ("no such model", 200, an_error("Model not found: invalid_model_name"), "validation", "validation"),
    ("no such picture", 200, an_error(["Unable to fetch image from provided URL"]), "validation", "validation"),
    ("our mistake", 200, an_error("Invalid API Request", tip="1. Make sure you …"), "bad_request", "bad_request"),
    ("500", 500, an_error("Internal server error. Please try again."), "upstream", "upstream"),
    ("502", 502, an_error("Bad gateway"), "unclear", "upstream"),
    ("504, as if it were the server's own", 504, an_error("Service unavailable"), "unclear", "upstream"),
    ("524", 524, an_error("A timeout occurred"), "unclear", "upstream"),
    ("503 by its code", 502, an_error("?", code="upstream_unavailable"), "upstream", "upstream"),
    ("half a character", 200, SUCCESS | {"message": "\ud83d"}, "done", "done"),
    ("503 as 200", 200, an_error("Service temporarily unavailable. Please try again later."), "upstream", "upstream"),
    ("loading", 200, an_error("The model is loading, come back soon"), "warming", "warming"),
    ("loading as 503", 503, an_error("The model is loading"), "upstream", "upstream"),
    ("the provider", 200, an_error("It failed. Try again.", code="provider_error"), "failed", "failed"),
    ("code: rate", 200, an_error("?", code="rate_limited"), "rate_limited", "rate_limited"),
    ("code: money", 200, an_error("?", code="insufficient_balance"), "credits", "credits"),
    ("any error", 200, an_error("Something went wrong"), "bad_response", "failed"),
    ("a page", 502, None, "unclear", "upstream"),
    ("a page with 429", 429, None, "rate_limited", "rate_limited"),
    ("elsewhere", 307, None, "bad_response", "upstream"),
]


@pytest.mark.parametrize(
    ("http_status", "body", "submitted", "polled"), [pytest.param(*rest, id=name) for name, *rest in ANSWERS]
)
def test_an_answer_means(http_status: int, body: Any, submitted: str, polled: str) -> None:
    assert begun(body, http_status) == submitted
    assert after_poll(said(body, http_status)) == polled


def test_the_published_answers_are_read() -> None:
    success, processing = Answer.model_validate(SUCCESS), Answer.model_validate(PROCESSING)

    assert (success.job, success.results, success.meta.seed) == ("66752945", (R2, CDN2), 3166507472)
    assert success.nsfw_content_detected is False
    assert (processing.job, processing.results, processing.eta) == ("65919758", (), 10)
    assert "mdjrny" not in repr(success)


@pytest.mark.parametrize(
    ("body", "results"),
    [
        ({"output": "https://a/1_out.png"}, ("https://a/1_out.png",)),
        ({"output": None, "proxy_links": ["https://b/1"]}, ()),
        ({"output": ["https://a/1"], "proxy_links": {"0": "https://b/1"}}, ("https://a/1", "https://b/1")),
        ({"output": ["https://a/1", ""], "proxy_links": None}, ("https://a/1",)),
        ({"output": "", "output_url": "https://a/1"}, ("https://a/1",)),
        ({"output": [], "future_links": ["https://a/1"]}, ()),
    ],
)
def test_results_come_in_many_shapes_and_are_never_predictions(body: dict[str, Any], results: tuple[str, ...]) -> None:
    assert Answer.model_validate(body).results == results


@pytest.mark.parametrize(
    ("body", "job"),
    [
        ({"id": "abc-1"}, "abc-1"),
        ({"id": 12.0}, "12"),
        ({"id": True}, None),
        ({"id": ""}, None),
        ({"id": "../../wallet"}, None),
        ({"id": ".."}, None),
        ({"id": None, "fetch_result": "https://evil.example/api/v6/video/fetch/77?x=1"}, "77"),
        ({"fetch_result": "https://[broken"}, None),
        ({"fetch_result": "https://a/fetch/"}, None),
    ],
)
def test_ids_come_in_many_shapes_and_stay_within_one_segment_of_a_path(body: dict[str, Any], job: str | None) -> None:
    assert Answer.model_validate(body).job == job


@pytest.mark.parametrize(
    ("eta", "read"),
    [(10, 10), (3.7, 3.7), ("12", 12), (None, None), ("soon", None), (float("nan"), None), (10**400, None), (True, None)],
)
def test_estimates_come_in_many_shapes(eta: object, read: float | None) -> None:
    assert Answer.model_validate({"eta": eta}).eta == read


@pytest.mark.parametrize(
    ("flag", "read"), [(True, True), ("yes", True), ("no", False), (1, True), ([False, True], True), ([], None), ("?", None)]
)
def test_a_flag_that_says_nothing_is_unknown(flag: object, read: bool | None) -> None:
    assert Answer.model_validate({"nsfw_content_detected": flag}).nsfw_content_detected is read


@pytest.mark.parametrize(
    ("kind", "body", "headers", "wait_s"),
    [
        ("queue_full", {"retry_after": 30}, {"retry_after": "60"}, 30),
        ("queue_full", {}, {"retry_after": "60"}, 60),
        ("queue_full", {}, {"x_ratelimit_reset": "1012"}, 12),
        ("queue_full", {}, {"x_ratelimit_reset": "900"}, 0),
        ("queue_full", {}, {"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ("rate_limited", {"tips": SPAM}, {}, 30),
        ("rate_limited", {"retry_after": 10**9}, {}, 3600),
        ("warming", {}, {}, 5),
    ],
)
def test_how_long_to_wait(kind: FailureKind, body: Any, headers: dict[str, str], wait_s: float | None) -> None:
    assert said(body, 429, **headers).retry_after_s(kind, now=1000) == wait_s


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["success", "failed", "5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(Answer.model_fields)), ANYTHING), st.sampled_from([200, 307, 404, 429, 500]))
def test_whatever_comes_has_a_meaning(body: dict[str, Any], http_status: int) -> None:
    answer = said(body, http_status)

    assert begun(body, http_status)
    assert after_poll(answer)
    assert answer.retry_after_s("queue_full", now=0) is None or answer.retry_after_s("queue_full", now=0) >= 0


WAYS = [(name, operation) for name, offer in OFFERS.items() for operation in sorted(offer.ways)]


@pytest.mark.parametrize(("model", "operation"), WAYS)
def test_what_is_offered_is_written_as_documented(model: str, operation: Any) -> None:
    offer, source = OFFERS[model], "" if operation in ("imagine", "inspire") else "https://modelslab.com/a.png"
    for aspect in ASPECTS:
        for more in ({}, {"avoid": "fog", "seconds": 300, "strength": "strong"}, {"seconds": 1, "strength": "subtle"}):
            asked = {"kind": offer.model.kind, "operation": operation, "text": "a boat", "aspect": aspect, "seed": 2**32 - 1}
            wish, brief = Wish.model_validate(asked | more), Brief(prompt="a boat", avoid=str(more.get("avoid", "")))
            order = order_of(wish, brief, offer.model, position=1).model_copy(update={"source": source})

            written = offer.written(order)

            assert written is not None
            way, fields = written
            check(OPERATIONS[way.path], json.loads(json.dumps(fields)))
            assert OPERATIONS[way.path].family == way.family
            assert ("negative_prompt" in fields) == ("avoid" in more and "avoid" in offer.model.takes)
            assert "key" not in fields


def test_the_documented_example_is_written() -> None:
    written = OFFERS["flux"].written(an_order("a boat", model="flux", seed=5, aspect="1:1"))

    assert written is not None
    assert written[1] == {
        "model_id": "flux",
        "prompt": "a boat",
        "width": 1024,
        "height": 1024,
        "samples": 1,
        "num_inference_steps": 28,
        "guidance_scale": 7.5,
        "safety_checker": "yes",
        "seed": 5,
        "base64": False,
    }


@pytest.mark.parametrize(
    "order",
    [
        an_order(operation="upscale"),
        an_order(kind="video"),
        an_order(operation="vary", source="file:///etc/passwd"),
        an_order(operation="vary"),
        an_order(prompt=""),
    ],
)
def test_what_cannot_be_asked_is_not_written(order: Any) -> None:
    assert OFFERS["fast"].written(order) is None


def test_a_body_tells_nobody_what_is_in_it() -> None:
    way = OFFERS["fast"].ways["imagine"]

    assert "boat" not in repr(way.write(an_order("a boat")))


def test_the_manual_lists_what_is_offered() -> None:
    manual = (Path(__file__).parents[2] / "docs/generation.md").read_text("utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \| (\w+) \| ([\w, ]+) \|", manual, re.MULTILINE)

    offered = {name: (offer.model.kind, set(offer.ways)) for name, offer in OFFERS.items()}
    assert {name: (kind, set(can.split(", "))) for name, kind, can in rows} == offered


def test_half_a_character_in_an_address_keeps_no_job_from_being_stored() -> None:
    answer = Answer.model_validate({"status": "success", "id": 5, "output": ["https://x.example/\ud83d.png"]})

    MakerJob(handle=answer.job or "", family="v6/images", state="done", urls=answer.results).model_dump_json()
    assert answer.results == ("https://x.example/.png",)


def test_the_manual_names_every_language_and_every_voice() -> None:
    manual = (Path(__file__).parents[2] / "docs/generation.md").read_text("utf-8")
    [languages] = re.findall(r"^\| `--language french` \| (.+) \|$", manual, re.MULTILINE)
    [voices] = re.findall(r"^\| `--voice tara` \| (.+) \|$", manual, re.MULTILINE)

    assert {language_named(each) for each in re.findall(r"`([\w-]+)`", languages)} == set(LANGUAGES)
    assert set(LANGUAGES) <= set(re.findall(r"`([\w-]+)`", languages))
    assert set(re.findall(r"`(\w+)`", voices)) == set(OFFERS["speech"].model.voices)
