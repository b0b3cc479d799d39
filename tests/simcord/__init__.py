"""A second opinion: the same client and connection on a Discord that others wrote (SimCord), in this process."""
