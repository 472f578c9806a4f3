"""Lines over the parts of a table that workers hold: what each picks of its rows, and what all of them draw."""
