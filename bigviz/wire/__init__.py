"""Messages of docs/protocol.md as bytes, and back; each file has its twin in static/wire/."""
