"""The report as one web page that needs nothing else: no file beside it, no network, no server."""
