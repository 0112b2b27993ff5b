"""What the columns of a run's tables mean: declared once, for `docs/tables.md` and for the pages that show them."""
