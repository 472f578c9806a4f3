"""The cache of HTTP answers: looked up by the bytes of a request, before anything parses it."""
