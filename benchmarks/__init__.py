"""One file a claim: each compares in one run, and ends with one JSON line when asked with ``--json``."""
