"""From a moving brush on one figure to what its rows look like in others: rows added and taken away."""
