"""A built layer and a question to an answer: tiles, columns, marks, rows."""
