"""SQL Server: connections, rendered templates, grants."""
