"""The review desk: where moderators look at the cases of a workspace. It decides nothing; a click becomes an event."""
