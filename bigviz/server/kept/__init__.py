"""From a request that was answered before, or one for another tile in the same words, to its answer, without parsing
it."""
