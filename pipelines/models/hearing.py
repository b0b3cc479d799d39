"""Who can listen: a question with sound, put to a model that hears nothing."""

from dataclasses import replace

from pydantic_ai.models import Model

from pipelines.content import AudioPart
from pipelines.ports import Question, Shape


def put_to(model: Model, question: Question[Shape]) -> Question[Shape]:
    """Return the question as `model` can be asked it: without the sound, where it takes none.

    Such a model cannot have judged the sound, so that an answer which says so breaks the question's rule.
    """
    unheard = {part.id for part in question.parts if isinstance(part, AudioPart)}
    if not unheard or model.profile.get("supports_audio_file_input", True):
        return question

    def check(answer: Shape) -> str | None:
        if unheard.intersection(getattr(answer, "parts", ())):
            return "`parts` names an id that is not among the parts."
        return question.check(answer)

    return replace(question, parts=tuple(part for part in question.parts if part.id not in unheard), check=check)
