"""Shows plans, runs and findings: to people on a console, to programs as JSON."""
