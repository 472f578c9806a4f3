"""Requests over HTTP and websockets to answers."""
