"""discord.py imports `audioop`, which Python 3.11 announces the end of; here warnings are errors."""

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    import discord  # noqa: F401
