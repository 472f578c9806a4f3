"""One file to batches of rows: Parquet, Arrow IPC and CSV."""
