"""Where everything is kept: files, catalog, transactions."""
