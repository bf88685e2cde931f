"""The environment file: its models, how it is loaded and checked, its JSON Schema."""
