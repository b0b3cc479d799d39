"""Moderation, from parts to a verdict."""

from collections.abc import Callable, Sequence

from pipelines.content import Intake, Part
from pipelines.moderation.decide import decide
from pipelines.moderation.judge import Asker, ask, judge
from pipelines.moderation.known import NOTHING_KNOWN
from pipelines.moderation.memory import NO_MEMORY
from pipelines.moderation.policy import ChannelPolicy, Mode
from pipelines.moderation.report import Finding
from pipelines.moderation.verdict import Verdict
from pipelines.ports import Call, HashBank, LanguageModel, Memory


async def moderate(
    intake: Intake,
    *,
    policy: ChannelPolicy,
    model: LanguageModel,
    bank: HashBank = NOTHING_KNOWN,
    memory: Memory = NO_MEMORY,
    earlier: Sequence[Part] = (),
    mode: Mode = "enforce",
    exempt: bool = False,
    besides: Callable[[], Sequence[Finding]] = tuple,
    asker: Asker = ask,
) -> tuple[Verdict, tuple[Call, ...]]:
    """Judge a message's parts against `policy`; return the verdict and what asking cost.

    `earlier` are parts of what the same author wrote just before, for what makes sense only together. `exempt`: only the
    policy's `still_scan` counts for this author. `besides` returns, once the judge has answered, what is found by other means.
    `asker` puts the question: `Together.of` has it wait for other messages'.

    Never raises for what the content is or what the model does: whatever cannot be judged in full comes back as `unknown`
    with the reason, and the policy says what follows.
    """
    report, calls = await judge(intake, policy=policy, model=model, bank=bank, memory=memory, earlier=earlier, asker=asker)
    more = [
        each
        for each in besides()
        if (each.category, each.kind) not in {(known.category, known.kind) for known in report.findings}
    ]
    report = report.model_copy(update={"findings": (*report.findings, *more)})
    return decide(report, policy, mode=mode, exempt=exempt), calls
