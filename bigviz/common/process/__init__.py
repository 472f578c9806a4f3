"""What one process tells another: its environment, its errors."""
