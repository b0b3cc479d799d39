"""Content, policy and models. Knows no platform and no database."""
