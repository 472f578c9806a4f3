"""Which tiles two versions of a dataset that grows have in common."""
