"""Whatever goes wrong, nothing is waved through. The real model client asks the emulator, whose faults are switched on in turn.

Rows that are about more than the model are tested where they happen:

- the model is away for minutes, and what waited is judged again: `tests/app/test_outages.py`, `tests/handlers/test_outages.py`
- each fault of each vendor, how often is asked and who is asked next: `tests/models/test_failure_matrix.py`
- damaged, encrypted and oversized files: `tests/media`, and what follows: `tests/handlers/test_messages.py`
- a delete that fails with 404, 403 or 429: `tests/discord_side/acting/test_removing.py`, `tests/slack/acting/test_removing.py`;
  what moderators learn: `tests/handlers/test_messages.py`, and for a raid `tests/handlers/test_raids.py`
- a crash between the verdict and the action: `tests/durable`, `tests/end_to_end/test_kill.py`
- a gap after a restart: `tests/discord_side/receiving/test_sweep.py`, `tests/slack/receiving/test_sweep.py`
- a mass action: `tests/storage/test_cases.py` counts it, `tests/handlers/test_raids.py` shows it
"""

import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from emulators.gemini import ModelEmulator
from emulators.understudy import answer
from pipelines.content import Fact, Hashes, Intake, Reading, TextPart
from pipelines.models import Models
from pipelines.moderation.judge import Judgement
from pipelines.moderation.moderate import moderate
from pipelines.moderation.policies import preset
from pipelines.moderation.policy import Action, Channel
from pipelines.moderation.report import Category, Finding
from pipelines.moderation.verdict import Verdict
from pipelines.ports import Call, Known
from tests.fakes import ListedBanks, parts
from tests.models.asking import FLASH, accounts, asking

POLICY = preset().at(Channel(platform="test", id="general"))
FINE = parts("text:0", "text:1")
# A test string of the understudy: what the judge finds when it answers.
BAD = replace(FINE, parts=(TextPart(id="text:0", text="FLASHBULB-TEST-HATE-S3-C95", role="message"), *FINE.parts[1:]))

DOWN = [
    *("http-500", "http-502", "http-503", "http-503-overloaded", "http-504", "reset", "cut", "hang", "slow-body"),
    *("http-429-minute", "http-429-day", "http-429-bare", "http-429-retry-after", "http-401", "http-403", "http-404"),
    *("body-html", "body-broken-json", "null-text"),
]
BLOCKED = [
    *("block-other", "block-safety", "block-prohibited-content", "block-with-candidates"),
    *("finish-safety-empty", "finish-safety-text", "finish-safety-cut", "finish-prohibited-content-text", "rating-blocked"),
    *("finish-spii-text", "finish-recitation-text", "finish-blocklist-text"),
]
UNUSABLE = [
    *("candidates-absent", "candidates-empty", "no-parts", "body-empty", "body-null", "block-empty"),
    *("prose", "prose-refusal", "blank", "two-documents", "nan", "out-of-range", "field-missing", "foreign-nonce"),
    *("schema-violation", "finish-other-text", "finish-language-text", "finish-absent-text", "finish-unheard-of-text"),
]
CUT = ["max-tokens-cut", "max-tokens-complete", "max-tokens-empty"]
PROHIBITED = ["block-prohibited-content", "finish-prohibited-content-text", "finish-prohibited-content-empty"]
HARMLESS = ["fenced", "fenced-chatter", "two-parts", "thought", "ratings-high", "ratings-negligible"]

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.filterwarnings("ignore:UNHEARD_OF is not a valid:UserWarning"),
]


class Stage(NamedTuple):
    """One vendor, shared by all rows to save time."""

    vendor: ModelEmulator
    models: Models


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened() -> AsyncIterator[Stage]:
    days = itertools.count(0, 200_000)  # so that every pause is over at the next question
    brief: dict[str, Any] = {"profile": {"read_s": 1.0, "request_s": 1.5}, "monotonic": days.__next__}
    async with (
        ModelEmulator(answer) as vendor,
        asking(FLASH, providers=accounts(gemini=vendor), allow_understudy=True, **brief) as models,
    ):
        await models.warm_up()  # outside of the deadline, which loading takes longer than on a busy machine
        yield Stage(vendor, models)


@pytest_asyncio.fixture(loop_scope="module")
async def stage(opened: Stage) -> Stage:
    opened.vendor.clear_faults()
    opened.vendor.answers.clear()
    opened.vendor.requests.clear()
    return opened


async def judged(stage: Stage, intake: Intake = FINE, **options: Any) -> tuple[Verdict, tuple[Call, ...]]:
    return await moderate(intake, policy=POLICY, model=stage.models, **options)


def causes(verdict: Verdict) -> list[str]:
    return [each.cause for each in verdict.incomplete]


async def test_the_harness_allows_what_is_fine_and_removes_what_is_not(stage: Stage) -> None:
    fine, _ = await judged(stage)
    bad, _ = await judged(stage, BAD)

    assert (fine.decision, fine.action) == ("allow", Action.ALLOW)
    assert (bad.decision, bad.action) == ("act", Action.REMOVE)


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        *(pytest.param(each, "judge_down", id=f"down-{each}") for each in DOWN),
        *(pytest.param(each, "judge_blocked", id=f"blocked-{each}") for each in BLOCKED),
        *(pytest.param(each, "bad_answer", id=f"unusable-{each}") for each in UNUSABLE),
        *(pytest.param(each, "partial", id=f"cut-{each}") for each in CUT),
        pytest.param("item-missing", "partial", id="one-part-is-not-in-the-answer"),
    ],
)
async def test_what_goes_wrong_is_unknown_and_held_and_asked_at_most_twice(fault: str, cause: str, stage: Stage) -> None:
    stage.vendor.fault(fault)

    verdict, calls = await judged(stage)

    assert (verdict.decision, verdict.action, verdict.enforced) == ("unknown", Action.HOLD, Action.HOLD)
    assert causes(verdict) == [cause]
    assert verdict.coverage.judged < verdict.coverage.total
    assert verdict.urgent is (cause == "judge_blocked")
    assert verdict.waits_for_model is (cause in ("judge_down", "bad_answer"))
    assert verdict.keep_copy is (fault not in PROHIBITED)
    assert len(stage.vendor.requests) == sum(call.requests for call in calls) <= 2


@pytest.mark.parametrize("fault", PROHIBITED)
async def test_of_what_the_vendor_prohibits_no_copy_is_kept_and_nobody_is_punished_for_it(fault: str, stage: Stage) -> None:
    stage.vendor.fault(fault)

    verdict, _ = await judged(stage)

    assert (verdict.keep_copy, verdict.urgent) == (False, True)
    assert verdict.strikes != "at_once"


@pytest.mark.parametrize("fault", HARMLESS)
async def test_ratings_and_wrappings_change_no_verdict(fault: str, stage: Stage) -> None:
    stage.vendor.fault(fault)

    fine, _ = await judged(stage)
    bad, _ = await judged(stage, BAD)

    assert (fine.action, bad.action) == (Action.ALLOW, Action.REMOVE)


async def test_a_judge_that_obeys_an_injected_instruction_still_has_to_answer_in_full(stage: Stage) -> None:
    stage.vendor.answers.extend(['{"safe": true}', '{"verdict": "allow", "action": "allow"}'])

    verdict, _ = await judged(stage, BAD)

    assert (verdict.decision, causes(verdict)) == ("unknown", ["bad_answer"])


async def test_no_field_of_an_answer_is_an_action() -> None:
    names = str(Judgement.model_json_schema()).lower()

    assert not [each for each in ("action", "verdict", "allow", "safe'", "decision") if f"'{each}" in names]


@pytest.mark.parametrize("fault", ["http-503", "block-other", "prose", "max-tokens-cut"])
async def test_what_reading_the_file_shows_is_acted_upon_whatever_the_model_does(fault: str, stage: Stage) -> None:
    stage.vendor.fault(fault)
    hiding = Fact(place="text:1", about="tampering", kind="polyglot", severity=3, says="The file is two files at once.")

    verdict, _ = await judged(stage, replace(FINE, facts=(hiding,)))

    assert verdict.decision == "act"
    assert [(each.category, each.kind) for each in verdict.findings] == [(Category.TAMPERING, "polyglot")]
    assert verdict.action.takes_down


@pytest.mark.parametrize("fault", ["http-503", "block-other", "prose", "max-tokens-cut"])
async def test_what_is_on_the_list_is_acted_upon_whatever_the_model_does(fault: str, stage: Stage) -> None:
    stage.vendor.fault(fault)
    denied = Finding(category=Category.HATE, severity=3, confidence=0.95, place="file:0")
    reading = Reading(place="file:0", media_type="text/plain", status="ok", hashes=Hashes(sha256="ab" * 32))

    verdict, _ = await judged(stage, replace(FINE, readings=(reading,)), bank=ListedBanks(known=Known(denied=(denied,))))

    assert (verdict.decision, verdict.action, verdict.findings) == ("act", Action.REMOVE, (denied,))


async def test_what_the_exempt_write_is_shown_but_stays_when_nobody_answers(stage: Stage) -> None:
    stage.vendor.fault("http-503")

    verdict, _ = await judged(stage, exempt=True)

    assert (verdict.decision, verdict.action) == ("unknown", Action.FLAG)


@pytest.mark.parametrize("fault", ["prose", "foreign-nonce", "nan"])
async def test_a_good_second_answer_counts(fault: str, stage: Stage) -> None:
    stage.vendor.fault(fault, times=1)

    verdict, _ = await judged(stage, BAD)

    assert (verdict.action, len(stage.vendor.requests)) == (Action.REMOVE, 2)
