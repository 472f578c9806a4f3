"""Hosts and origins to whether they are served."""
