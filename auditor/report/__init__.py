"""Report -> text. Pure: no network, no clock, no boto3. Formats are found in ``formats/``."""
