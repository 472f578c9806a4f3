"""A table and a walk over it to a report of latencies (`bigviz bench`)."""
