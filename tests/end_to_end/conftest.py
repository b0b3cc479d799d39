"""Fixtures of the end-to-end tests."""

from tests.databases import postgres_url

__all__ = ["postgres_url"]
