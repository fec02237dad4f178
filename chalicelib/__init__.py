"""What the Lambda functions do: event -> auditor -> response. No thinking here."""
