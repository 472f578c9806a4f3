"""Limits of containers and services: of this process' control groups."""
