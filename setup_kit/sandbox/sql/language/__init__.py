"""T-SQL's text, read into statements."""
