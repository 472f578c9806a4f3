"""Ordered rows to the finished planes of every large tile."""
