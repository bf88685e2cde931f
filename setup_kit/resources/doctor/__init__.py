"""Everything that would stop a run, looked for at once: `examination` lists the checks, the other modules are they.

`machine` looks at this machine, `reach`, `hosts` and `network` at the way to each host, `clock` compares the time.
`outlook` reads once what a run would make; by that go `rights`, `governance` (policies and locks) and `regions`
(providers, regions, quotas). `subscription` and `principal` look at what is there whatever a run makes.
"""
