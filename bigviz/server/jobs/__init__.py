"""Definitions and wants to jobs of the engine, scheduled and shared."""
