"""A second opinion on the verdicts: a plain evaluator of single requests, and a peer's."""
