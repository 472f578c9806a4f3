"""From the address of a file that is elsewhere (an object store, an HTTP server) to its bytes, by ranges."""
