"""Every fault that a vendor can have, over a real socket: what it means, how often is asked, and who is asked next."""

import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from emulators.faults import BLOCK_REASONS, FAULTS, FINISH_REASONS
from emulators.gemini import ModelEmulator
from pipelines.models import Models
from pipelines.ports import Outcome
from tests.models.asking import FLASH, HAIKU, NANO, OLLAMA, a_question, accounts, asking, right

# The client says on stderr when a vendor sends a reason that it does not know.
pytestmark = pytest.mark.filterwarnings("ignore:UNHEARD_OF is not a valid:UserWarning")


class Row(NamedTuple):
    """What a fault means. `arrived` is how many requests the vendor sees: two where it was worth asking once more."""

    outcome: Outcome
    note: str = ""
    arrived: int = 1


def _unavailable(note: str) -> Row:
    return Row("unavailable", note)


def _refused(note: str) -> Row:
    return Row("refused", note)


OK = Row("ok")
BAD = Row("bad_answer", "invalid", arrived=2)
PARTIAL = Row("partial", "max_tokens")

REFUSING_ENDS = ("SAFETY", "PROHIBITED_CONTENT", "SPII", "RECITATION", "BLOCKLIST", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT")
OTHER_ENDS = ("MALFORMED_FUNCTION_CALL", "OTHER", "LANGUAGE", "UNHEARD_OF")


def _slug(reason: str) -> str:
    return reason.lower().replace("_", "-")


# What each dialect makes of a fault that all of them can have.
SHARED = {
    "http-400-key": _unavailable("key_refused"),
    "http-400-image": _unavailable("rejected"),
    "http-400-tokens": _unavailable("too_long"),
    "http-400-deadline": _unavailable("rejected"),
    "http-400-location": _unavailable("rejected"),
    "http-400-billing": _unavailable("quota"),
    "http-401": _unavailable("key_refused"),
    "http-403": _unavailable("key_refused"),
    "http-404": _unavailable("no_such_model"),
    "http-413": _unavailable("http_413"),
    "http-429-minute": _unavailable("rate_limit"),
    "http-429-day": _unavailable("quota"),
    "http-429-bare": _unavailable("rate_limit"),
    "http-429-retry-after": _unavailable("rate_limit"),
    "http-499": _unavailable("http_499"),
    "http-500": _unavailable("server_error"),
    "http-502": _unavailable("server_error"),
    "http-503-overloaded": _unavailable("overloaded"),
    "http-503": _unavailable("unavailable"),
    "http-504": _unavailable("server_error"),
    "reset": _unavailable("connection"),
    "cut": _unavailable("connection"),
    "hang": _unavailable("timeout"),
    "slow-body": _unavailable("timeout"),
    "delay": OK,
    "body-html": _unavailable("unreadable"),
    "body-broken-json": _unavailable("unreadable"),
    "body-empty": BAD,
    "body-list": BAD,
    "body-null": BAD,
    "body-object": BAD,
    "body-error": BAD,
    "schema-violation": BAD,
    "field-missing": BAD,
    "item-missing": BAD,
    "unknown-choice": BAD,
    "out-of-range": BAD,
    "nan": BAD,
    "foreign-nonce": BAD,
    "nothing-found": OK,
    "prose": BAD,
    "prose-refusal": BAD,
    "fenced": OK,
    "fenced-chatter": OK,
    "two-documents": BAD,
    "blank": BAD,
    "null-text": BAD,
    "max-tokens-cut": PARTIAL,
    "max-tokens-complete": PARTIAL,
    "max-tokens-empty": PARTIAL,
}

GEMINI = {
    **SHARED,
    "null-text": _unavailable("unreadable"),
    "candidates-empty": BAD,
    "candidates-absent": BAD,
    "candidates-string": BAD,
    "two-parts": OK,
    "thought": OK,
    "json-in-thought": BAD,
    "no-parts": BAD,
    "function-call": BAD,
    **{f"block-{_slug(reason)}": _refused(reason) for reason in BLOCK_REASONS},
    "block-empty": BAD,
    "block-with-candidates": _refused("SAFETY"),
    **{f"finish-{_slug(reason)}-{left}": _refused(reason) for reason in REFUSING_ENDS for left in ("empty", "text", "cut")},
    **{f"finish-{_slug(reason)}-{left}": BAD for reason in OTHER_ENDS for left in ("empty", "cut")},
    **{f"finish-{_slug(reason)}-text": Row("bad_answer", f"finish_{reason}") for reason in OTHER_ENDS},
    "finish-absent-empty": BAD,
    "finish-absent-cut": BAD,
    "finish-absent-text": Row("bad_answer", "finish_unknown"),
    "rating-blocked": _refused("SAFETY"),
    "ratings-high": OK,
    "ratings-negligible": OK,
}

# These dialects know no empty answer: whatever comes in its place is a broken gateway's.
BROKEN = _unavailable("unreadable")
BODIES = ("body-html", "body-broken-json", "body-empty", "body-list", "body-null", "body-object", "body-error")

OPENAI = {
    **SHARED,
    **dict.fromkeys(BODIES, BROKEN),
    "http-400-billing": _unavailable("rejected"),
    "http-429-day": _unavailable("rate_limit"),
    "openai-429-ms": _unavailable("rate_limit"),
    "openai-quota": _unavailable("quota"),
    "openai-policy": _refused("content_policy_violation"),
    "openai-refusal": _refused("refusal"),
    "openai-filter": _refused("content_filter"),
    "openai-filter-text": _refused("content_filter"),
}

ANTHROPIC = {
    **SHARED,
    **dict.fromkeys(BODIES, BROKEN),
    "http-400-key": _unavailable("rejected"),
    "http-429-day": _unavailable("rate_limit"),
    "anthropic-529": _unavailable("overloaded"),
    "anthropic-refusal": _refused("refusal"),
    "anthropic-refusal-text": _refused("refusal"),
}

DIALECTS = {"gemini": GEMINI, "openai": OPENAI, "anthropic": ANTHROPIC}

TABLE = [
    *(pytest.param(FLASH, name, row, id=f"gemini-{name}") for name, row in GEMINI.items()),
    *(pytest.param(NANO, name, row, id=f"openai-{name}") for name, row in OPENAI.items()),
    *(pytest.param(HAIKU, name, row, id=f"anthropic-{name}") for name, row in ANTHROPIC.items()),
]


@pytest.mark.parametrize("dialect", ["gemini", "openai", "anthropic"])
def test_every_fault_of_the_emulator_has_its_row(dialect: str) -> None:
    assert set(FINISH_REASONS) == {*REFUSING_ENDS, *OTHER_ENDS}

    known = {name for name, fault in FAULTS.items() if dialect in fault.dialects}

    assert {*DIALECTS[dialect], "refuse"} == known


class Stage(NamedTuple):
    """Two vendors, and who asks them: each dialect with a fall-back, Gemini also alone. Shared by all rows, to save time."""

    vendor: ModelEmulator
    other: ModelEmulator
    backed: dict[str, Models]
    alone: Models


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened() -> AsyncIterator[Stage]:
    days = itertools.count(0, 200_000)  # so that every pause is over at the next question
    async with AsyncExitStack() as stack:
        vendor = await stack.enter_async_context(ModelEmulator(right))
        other = await stack.enter_async_context(ModelEmulator(right))
        brief: dict[str, Any] = {"profile": {"read_s": 2.0, "request_s": 2.6}, "monotonic": days.__next__}
        backed = {}
        for name in (FLASH, NANO, HAIKU):
            providers = accounts(**{name.split(":")[0]: vendor}, local=other)
            backed[name] = await stack.enter_async_context(asking(name, OLLAMA, providers=providers, **brief))
        alone = await stack.enter_async_context(asking(FLASH, providers=accounts(gemini=vendor), **brief))
        yield Stage(vendor, other, backed, alone)


@pytest_asyncio.fixture(loop_scope="module")
async def stage(opened: Stage) -> Stage:
    for emulator in (opened.vendor, opened.other):
        emulator.clear_faults()
        emulator.requests.clear()
    return opened


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("model", "fault", "row"), TABLE)
async def test_a_fault_means_what_the_table_says_and_the_next_model_is_asked_unless_it_is_evidence(
    model: str, fault: str, row: Row, stage: Stage
) -> None:
    stage.vendor.fault(fault)

    reply = await stage.backed[model].ask(a_question())

    assert (reply.calls[0].outcome, reply.calls[0].note) == (row.outcome, row.note)
    assert len(stage.vendor.requests) == row.arrived
    assert reply.calls[0].requests == row.arrived
    ends = row.outcome in ("ok", "refused")
    assert (reply.outcome, len(stage.other.requests)) == ((row.outcome, 0) if ends else ("ok", 1))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("fault", "row"), [pytest.param(*row, id=row[0]) for row in GEMINI.items() if row[1].outcome != "ok"])
async def test_no_fault_passes_for_an_answer_when_nobody_else_is_there(fault: str, row: Row, stage: Stage) -> None:
    stage.vendor.fault(fault)

    reply = await stage.alone.ask(a_question())

    assert (reply.outcome, reply.output) == (row.outcome, None)
    assert (reply.reason == row.note) is (row.outcome == "refused")


@pytest.mark.parametrize("model", [FLASH, NANO, HAIKU])
async def test_where_nobody_listens_the_next_model_is_asked(model: str, first: ModelEmulator, second: ModelEmulator) -> None:
    first.fault("refuse")

    async with asking(model, OLLAMA, providers=accounts(**{model.split(":")[0]: first}, local=second)) as models:
        reply = await models.ask(a_question())

    assert [(call.outcome, call.note) for call in reply.calls] == [("unavailable", "connection"), ("ok", "")]
    assert (len(first.requests), len(second.requests)) == (0, 1)


@pytest.mark.parametrize(
    "fault", ["finish-safety-cut", "finish-prohibited-content-cut", "rating-blocked", "block-with-candidates"]
)
async def test_a_clean_second_answer_never_hides_a_refusal(fault: str, first: ModelEmulator) -> None:
    first.fault(fault, times=1)

    async with asking(FLASH, providers=accounts(gemini=first)) as models:
        reply = await models.ask(a_question())

    assert (reply.outcome, len(first.requests)) == ("refused", 1)


async def test_a_blocked_rating_beside_a_cut_answer_is_a_refusal_and_not_a_reason_to_ask_again(first: ModelEmulator) -> None:
    first.fault("rating-blocked", times=1)
    first.answers.append("{")

    async with asking(FLASH, providers=accounts(gemini=first)) as models:
        reply = await models.ask(a_question())

    assert (reply.outcome, reply.reason, len(first.requests)) == ("refused", "SAFETY", 1)


@pytest.mark.parametrize("fault", ["schema-violation", "foreign-nonce", "body-empty", "prose"])
async def test_a_good_second_answer_is_taken(fault: str, first: ModelEmulator) -> None:
    first.fault(fault, times=1)

    async with asking(FLASH, providers=accounts(gemini=first)) as models:
        reply = await models.ask(a_question())

    assert (reply.outcome, len(first.requests), reply.calls[0].requests) == ("ok", 2, 2)
