"""One module a format, each with its ``FORMAT``: see ``auditor.report.interface``."""
