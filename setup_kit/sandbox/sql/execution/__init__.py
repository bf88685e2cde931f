"""A session at work: each statement carried out, with SQL Server's effects, messages and errors."""
