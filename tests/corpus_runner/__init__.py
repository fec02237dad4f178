"""Runs the cases of tests/corpus: see docs/corpus.md."""
