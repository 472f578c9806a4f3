"""Limits of containers and services: of this process's control groups."""
