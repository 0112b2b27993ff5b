"""Fetching the published files: a table of data sets, resumable transfers, checksums, and where a login is needed."""
