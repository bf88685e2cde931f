"""Reads and runs runbooks: Markdown whose `sh` blocks are commands, with what is expected of each beside it."""
