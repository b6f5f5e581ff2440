"""The walls and bans of the house, each proved by a deliberate breach."""
