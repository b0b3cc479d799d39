"""Which models are asked for which keys, and what is said where a setting is wrong."""

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from pipelines import limits
from pipelines.errors import Misconfigured
from pipelines.models import Models, Profile, Profiles, Providers
from pipelines.models.profiles import models_of
from pipelines.ports import Task
from tests.models.asking import FLASH, HAIKU, NANO

PRO = "gemini:gemini-3.1-pro-preview"


def keys(**fields: str) -> Providers:
    return Providers.model_validate(
        {name: SecretStr(value) if name.endswith("_key") else value for name, value in fields.items()}
    )


@pytest.mark.parametrize(
    ("task", "providers", "names"),
    [
        pytest.param("moderation", keys(gemini_api_key="k"), (FLASH,), id="gemini-alone"),
        pytest.param("escalation", keys(gemini_api_key="k"), (PRO,), id="a-bigger-model-for-a-second-look"),
        pytest.param("tagging", keys(google_cloud_project="p"), (FLASH,), id="vertex"),
        pytest.param("moderation", keys(gemini_api_key="k", anthropic_api_key="k"), (FLASH, HAIKU), id="one-fall-back"),
        pytest.param("moderation", keys(openai_api_key="k"), (NANO,), id="no-gemini"),
        pytest.param("moderation", keys(gemini_api_key=" ", openai_api_key="k"), (NANO,), id="an-empty-key-is-none"),
    ],
)
def test_the_defaults_are_those_that_have_a_key(task: Task, providers: Providers, names: tuple[str, ...]) -> None:
    assert models_of(task, Profile(), providers) == names


def test_a_profile_names_its_models_in_order() -> None:
    providers = keys(gemini_api_key="k", local_base_url="http://127.0.0.1:11434/v1")
    profile = Profile(models=("local:llava:13b", FLASH))

    assert models_of("moderation", profile, providers) == ("local:llava:13b", FLASH)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        pytest.param(lambda: Models(Providers(), allow_understudy=False), "GEMINI_API_KEY", id="no-key-at-all"),
        pytest.param(
            lambda: Models(
                keys(gemini_api_key="k"), profiles=Profiles(tagging=Profile(models=(HAIKU,))), allow_understudy=False
            ),
            r"\[models.tagging\] names anthropic:claude-haiku-5-5, but ANTHROPIC_API_KEY",
            id="a-model-without-a-key",
        ),
        pytest.param(lambda: keys(gemini_api_key="AIza CANARY"), "GEMINI_API_KEY", id="a-space-in-a-key"),
        pytest.param(lambda: keys(openai_api_key="CANARY-ключ"), "OPENAI_API_KEY", id="letters-that-no-header-takes"),
        pytest.param(lambda: keys(gemini_base_url="127.0.0.1:8080"), "GEMINI_BASE_URL", id="an-address-without-a-scheme"),
    ],
)
def test_a_wrong_setting_is_named_without_its_secret(make: Any, named: str) -> None:
    with pytest.raises(Misconfigured, match=named) as caught:
        make()

    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"models": ["gemini-3-flash-preview"]}, id="no-provider"),
        pytest.param({"models": ["mistral:large"]}, id="an-unknown-provider"),
        pytest.param({"total_s": limits.MODEL_TOTAL_S + 1}, id="a-longer-deadline"),
        pytest.param({"request_s": limits.MODEL_REQUEST_S + 1}, id="a-longer-request"),
        pytest.param({"read_s": 0}, id="no-time-at-all"),
        pytest.param({"max_tokens": 64_000}, id="so-many-tokens-that-the-client-would-stream"),
        pytest.param({"deadline": 3}, id="a-typo"),
    ],
)
def test_a_profile_that_cannot_be_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Profile.model_validate(fields)


def test_keys_do_not_show() -> None:
    assert "CANARY" not in repr(keys(gemini_api_key="CANARY", anthropic_api_key="CANARY"))
