"""`bigviz demo --live`: simulated rows, and the producer that appends them to a server of its own."""
