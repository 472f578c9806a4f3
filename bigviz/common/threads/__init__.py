"""From a thread that waits to the end of its wait, and to others that may have its place."""
