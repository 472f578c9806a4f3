"""Datasets and layers to directories of stores: found, built aside, limited, dropped."""
