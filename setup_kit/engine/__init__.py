"""Plans and carries out changes to resources; knows no resource by name.

`resource` says what a resource, a check, a change and a finding are; `graph` orders them; `planner` reads and compares;
`executor` carries out; `journal` records.
"""
