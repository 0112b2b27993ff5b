"""stub while the first run goes."""
