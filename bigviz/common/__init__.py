"""Errors, cancellation, threads, caches and checksums: what knows neither rows nor sockets."""
