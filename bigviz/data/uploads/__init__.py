"""From an uploaded file to the facts of its table, found by a process of its own that a hostile file may end."""
