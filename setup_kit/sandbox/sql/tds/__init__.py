"""MS-TDS: bytes, packets, messages, tokens, and the values that clients send."""
