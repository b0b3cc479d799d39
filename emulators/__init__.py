"""Local servers that speak the vendors' wire formats. Only `bot/cli.py`, `bench/` and the tests use them."""
