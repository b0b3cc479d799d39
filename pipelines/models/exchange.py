"""One question put to one model, and once more where the answer cannot be used.

What `pydantic_ai.Agent` would do for us in one turn, without the graph it runs on, which costs more than all else on the way to
the model.
"""

import re
from functools import cache
from typing import Final

from pydantic import BaseModel, ValidationError
from pydantic_ai import ModelRequest, ModelResponse, RetryFeedbackPart, TextPart, ToolCallPart, ToolDefinition, UserPromptPart
from pydantic_ai.direct import model_request
from pydantic_ai.exceptions import OutputTokenLimitExceeded, UnexpectedModelBehavior
from pydantic_ai.messages import ModelMessage, ModelRequestPart, RetryInfo, ToolReturnPart
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition

from pipelines import limits
from pipelines.models.fence import fenced
from pipelines.models.watch import Watch
from pipelines.ports import Question, Shape

_TOOL: Final = "final_result"
_FENCE: Final = re.compile(r"```(?:\w+)?\n(\{.*\})", re.DOTALL)  # some models wrap what they were to answer alone


async def exchange(
    model: Model, question: Question[Shape], watch: Watch, *, media_resolution: str
) -> tuple[ModelResponse, Shape]:
    """Return the answer in the question's shape, by whose rule all is well, and the response that it came in.

    Raises: `AgentRunError` where there is none, also for what a client stumbles over in a garbled response.
    """
    turn = fenced(question.parts, nonce=question.nonce, media_resolution=media_resolution)
    history: list[ModelMessage] = [ModelRequest(parts=[UserPromptPart(content=turn)], instructions=question.instructions)]
    form = _form(question.shape, bool(model.profile.get("supports_json_schema_output", False)))
    for _ in range(limits.MODEL_REQUESTS_PER_PROVIDER):
        response = await _request(model, history, form, watch)
        try:
            output = question.shape.model_validate_json(_said(response))
            wrong = question.check(output)
        except ValidationError as error:
            wrong = error.json(include_url=False, include_context=False)
        if wrong is None:
            return response, output
        if response.finish_reason == "length":
            raise OutputTokenLimitExceeded("The answer was cut off.")
        history += [response, ModelRequest(parts=_once_more(response, wrong), instructions=question.instructions)]
    raise UnexpectedModelBehavior("No answer could be used.")


async def _request(model: Model, history: list[ModelMessage], form: ModelRequestParameters, watch: Watch) -> ModelResponse:
    try:
        response = await model_request(model, history, model_request_parameters=form)
    except Exception as error:
        raise watch.named(error) from error
    watch.answered(response)
    return response


@cache
def _form(shape: type[BaseModel], native: bool) -> ModelRequestParameters:
    """Ask for `shape` as JSON by schema, or through a tool where a model knows no schema."""
    schema = shape.model_json_schema()
    if native:
        return ModelRequestParameters(
            output_mode="native", output_object=OutputObjectDefinition(json_schema=schema, name=shape.__name__)
        )
    tool = ToolDefinition(name=_TOOL, description="The answer.", parameters_json_schema=schema, kind="output")
    return ModelRequestParameters(output_mode="tool", output_tools=[tool], allow_text_output=False)


def _said(response: ModelResponse) -> str:
    """Return what should be JSON: the call of the tool where there is one, else the text."""
    for part in response.parts:
        if isinstance(part, ToolCallPart) and part.tool_name == _TOOL:
            return part.args_as_json_str()
    text = "".join(part.content for part in response.parts if isinstance(part, TextPart))
    found = None if text.startswith("{") else _FENCE.search(text)
    return found.group(1) if found else text


def _once_more(response: ModelResponse, wrong: str) -> list[ModelRequestPart]:
    """Say what was wrong. Vendors want every call of a tool to be answered, also of one that there is not."""
    calls = [part for part in response.parts if isinstance(part, ToolCallPart)]
    answers: list[ModelRequestPart] = [
        ToolReturnPart(tool_name=call.tool_name, tool_call_id=call.tool_call_id, content=wrong, outcome="retried")
        for call in calls
    ]
    return answers or [RetryFeedbackPart(content=wrong, retry=RetryInfo(cause="model_retry"))]
