"""What the command line says of a cluster to what connects to it."""
