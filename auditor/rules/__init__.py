"""The rules: what a finding can be about, and how a decision tells which one it is."""
