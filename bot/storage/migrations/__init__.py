"""What changed about the tables, version by version. `bot.storage.migration` runs it."""
