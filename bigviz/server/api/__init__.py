"""The JSON routes below `/_/api/`: each parses, calls one function, and writes."""
