"""Statements on data, compiled to what SQLite runs: names bound, types worked out, permissions demanded.

A compiled value is a `bound.Bound`: text for SQLite with T-SQL's type. What SQLite lacks is a Python function that it
calls by name. Inputs known before a row is touched are computed before.

====================  =================================================================================
`compile`             a statement on data: where the executor comes in
`compiler`            what the parts ask of the whole
`queries`             SELECT; `sources` has FROM, `common_tables` WITH, `aggregates` aggregates and windows
`row_counts`          the numbers of TOP, OFFSET and FETCH
`row_assignments`     SELECT @variable = value
`expressions`         values and conditions; `operators` has arithmetic and comparison
`functions`           built-in functions; `functions_text`, `functions_time`, `functions_system`, `functions_catalog`,
                      `functions_security` by subject; `builtin`: how one is entered
`changes`             INSERT, UPDATE, DELETE; `merges` MERGE, `outputs` OUTPUT, `targets` and `intake` what they share
`scope`               what a name means at one place
`bound`               what a compiled value is, and what compiling gathers
`system_views`        every view of `sys` and INFORMATION_SCHEMA by name; `views` says what one is
`views_objects`       with `views_columns`, `views_constraints`, `views_indexes`, `views_security`, `views_server`,
                      `views_sessions`, `views_firewall`, `views_procedures` and `views_system`: the views by subject
`information_schema`  the views of INFORMATION_SCHEMA
`names`               names in text, as OBJECT_ID takes them
`object_facts`        what views and functions tell of objects; `type_facts` of types, `server_facts` of the server
====================  =================================================================================
"""
