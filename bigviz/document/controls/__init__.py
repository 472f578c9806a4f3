"""Controls as data: their forms in JSON and in Python, their values, and what they say of tables and layers."""
