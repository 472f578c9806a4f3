"""`bigviz doctor`: what of this machine could keep bigviz from working, and what to do about it."""
