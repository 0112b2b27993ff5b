"""The explorer of a run: maps and towers on one page that needs no network."""
