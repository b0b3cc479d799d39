"""What the app makes by and by until its first question to a model, made before it is forked: a tenth of a second each time."""

from google.genai import types

from handlers.presets import preset_of
from pipelines.moderation.policies import preset

for each in (
    types.Part,
    types.Content,
    types.ThinkingConfig,
    types.HttpRetryOptions,
    types.HttpOptions,
    types.HttpResponse,
    types.GenerateContentConfig,
    types._GenerateContentParameters,
    types.ModalityTokenCount,
    types.GenerateContentResponseUsageMetadata,
    types.Candidate,
    types.GenerateContentResponse,
):
    each.model_rebuild()

preset_of(preset())  # reads all that are shipped, for the form of the settings
