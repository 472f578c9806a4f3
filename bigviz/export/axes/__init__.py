"""What numbers on axes mean to a reader: Python mirrors of static/axes."""
