"""IAM policy documents as values: model, parsing, variables, condition operators."""
