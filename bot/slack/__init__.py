"""Slack as a platform: how its events reach us, and how what we do becomes visible there."""
