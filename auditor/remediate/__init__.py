"""Closing what is open: a plan as data, applied step by step, and taken back from its journal."""
