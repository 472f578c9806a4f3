"""Apps: their processes, the sessions of the pages that show them, and the calls that go to their callbacks."""
