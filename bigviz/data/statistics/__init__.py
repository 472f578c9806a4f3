"""What is known of the values of a piece of a table before they are read."""
