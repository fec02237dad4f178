"""The guard and the sender: what they do to a role, and how they are written."""
