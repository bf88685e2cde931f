"""Workflows of CI systems that plan and apply environments."""
