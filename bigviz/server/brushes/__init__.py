"""Messages about a brush to steps of the engine's, and these to frames."""
