"""Everything that would stop a run, looked for at once: `examination` lists the checks, the other modules are they.

`machine` looks at this machine, `reach` and `network` at the way to each host, `clock` compares the time.
"""
