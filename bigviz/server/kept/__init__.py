"""From a request that was answered before to the same answer, without parsing it."""
