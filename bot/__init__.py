"""The outside world: platforms, settings, storage, the durable engine, the console, the command line."""
