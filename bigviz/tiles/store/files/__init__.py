"""Arrays and facts to files with checksums, and back."""
