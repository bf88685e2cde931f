"""The things that are provisioned, one module each, and the checks that prove them."""
