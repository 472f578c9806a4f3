"""Datasets and layers to directories of stores: found, built in a side folder, limited, dropped."""
