"""Fixtures of the end-to-end tests."""

from tests.console.browser.conftest import browser
from tests.databases import postgres_url

__all__ = ["browser", "postgres_url"]
