"""Ingest: one module per source format, parse to a canonical Dataset."""
