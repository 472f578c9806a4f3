"""Errors, cancellation, threads, caches and checksums: tools that know neither rows nor sockets."""
