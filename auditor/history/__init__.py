"""Where findings' lives are kept from audit to audit: a file (``file``) or a table (``table``)."""
