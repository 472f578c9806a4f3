"""From a table's column types to kernels that are compiled before viewers ask for what needs them."""
