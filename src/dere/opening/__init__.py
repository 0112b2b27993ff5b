"""The first page of a run: how good, where, how sure, at what cost, what to cite, and whether the data are real."""
