"""Queries and changes, compiled to what SQLite runs: names bound, types worked out, permissions demanded."""
