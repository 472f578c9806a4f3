"""What goes from this process to those that it starts."""
