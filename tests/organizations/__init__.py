"""Whole accounts: SCP levels, SES identities' policies, role chains, self-granting roles."""
