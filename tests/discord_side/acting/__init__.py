"""What we do on Discord: effects become messages, once, whatever Discord answers."""
