"""Models of several vendors behind `pipelines.ports.LanguageModel`: a profile per task, fall-backs, outcomes kept apart."""

from pipelines.models.models import Models
from pipelines.models.profiles import Price, Profile, Profiles, Providers

__all__ = ["Models", "Price", "Profile", "Profiles", "Providers"]
