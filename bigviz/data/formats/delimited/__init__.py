"""From the bytes of a delimited text (CSV, TSV, ...) to typed Arrow columns."""
