"""SQL Server's data types: how a value is stored, converted, compared and shown."""
