"""What lies beside the rows of a source, and the cells and lines of a target that they come to and go from."""
