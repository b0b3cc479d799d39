"""Every fault that a vendor can have, over a real socket: what it means, how often is asked, and who is asked next."""

from typing import NamedTuple

import pytest

from emulators.faults import BLOCK_REASONS, FAULTS, FINISH_REASONS
from emulators.gemini import ModelEmulator
from pipelines.ports import Outcome
from tests.models.asking import FLASH, HAIKU, NANO, OLLAMA, a_question, accounts, asking

# The client says on stderr when a vendor sends a reason that it does not know.
pytestmark = pytest.mark.filterwarnings("ignore:UNHEARD_OF is not a valid:UserWarning")


class Row(NamedTuple):
    """What a fault means. `arrived` is how many requests the vendor must see."""

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
    "refuse": Row("unavailable", "connection", arrived=0),
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

OPENAI = {
    **SHARED,
    "openai-429-ms": _unavailable("rate_limit"),
    "openai-quota": _unavailable("quota"),
    "openai-policy": _refused("content_policy_violation"),
    "openai-refusal": _refused("refusal"),
    "openai-filter": _refused("content_filter"),
    "openai-filter-text": _refused("content_filter"),
}

ANTHROPIC = {
    **SHARED,
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

    assert set(DIALECTS[dialect]) == known


@pytest.mark.parametrize(("model", "fault", "row"), TABLE)
async def test_a_fault_means_what_the_table_says_and_the_next_model_is_asked_unless_it_is_evidence(
    model: str, fault: str, row: Row, first: ModelEmulator, second: ModelEmulator
) -> None:
    first.fault(fault)
    provider = model.split(":")[0]
    providers = accounts(**{provider: first}, local=second)

    async with asking(model, OLLAMA, providers=providers) as models:
        reply = await models.ask(a_question())

    assert (reply.calls[0].outcome, reply.calls[0].note if row.note else "") == (row.outcome, row.note)
    assert len(first.requests) == row.arrived
    assert reply.calls[0].requests == max(row.arrived, 1)
    if row.outcome in ("ok", "refused"):
        assert (reply.outcome, len(second.requests)) == (row.outcome, 0)
    else:
        assert (reply.outcome, len(second.requests)) == ("ok", 1)


@pytest.mark.parametrize(("model", "fault", "row"), [param for param in TABLE if param.values[2].outcome != "ok"])
async def test_no_fault_passes_for_an_answer_when_nobody_else_is_there(
    model: str, fault: str, row: Row, first: ModelEmulator
) -> None:
    first.fault(fault)

    async with asking(model, providers=accounts(**{model.split(":")[0]: first})) as models:
        reply = await models.ask(a_question())

    assert (reply.outcome, reply.output) == (row.outcome, None)
    assert reply.reason == row.note if row.outcome == "refused" else reply.reason


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
