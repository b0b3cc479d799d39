"""What to do about an event: what to do and say, never how it looks."""
