"""Deciding what IAM allows: ``decide`` (symbolic, all requests) and ``evaluate`` (one request)."""
