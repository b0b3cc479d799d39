"""Moderation, from parts to a verdict."""

from pipelines.content import Intake
from pipelines.moderation.decide import decide
from pipelines.moderation.judge import FINGERPRINT, judge
from pipelines.moderation.policy import Policy
from pipelines.moderation.verdict import Verdict
from pipelines.ports import Call, LanguageModel


async def moderate(intake: Intake, *, policy: Policy, model: LanguageModel) -> tuple[Verdict, tuple[Call, ...]]:
    """Judge a message's parts against `policy`; return the verdict and what asking cost.

    Never raises for what the content is or what the model does: whatever cannot be judged in full comes back as `unknown`
    with the reason, and the policy says what follows.
    """
    report, reply = await judge(intake, model=model)
    return decide(report, policy, prompt=FINGERPRINT), reply.calls
