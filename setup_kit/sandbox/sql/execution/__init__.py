"""A session at work: each statement carried out, with SQL Server's effects, messages and errors.

====================  =================================================================================
`session`             one client's session: who it is, its settings, variables, transaction; requests come in here
`interpreter`         statements one after another, flow, TRY; which module a statement goes to is in its `_run`
`options`             SET
`executor`            queries and changes: compiled once, permissions asked, run
`writes`              a change, row by row; `changed_rows` notes them, `integrity` looks at CHECK and FOREIGN KEY
`assigning`           SELECT @variable = value, SELECT INTO; `inserting` INSERT … EXEC
`bulk`                bulk load; `repeated` a prepared INSERT that is called many times
`procedures`          EXEC and remote calls; `arguments` which value a parameter takes, `prepared` what was prepared
`descriptions`        what drivers ask before they send a statement
`system_procedures`   the procedures written in T-SQL: `procedures_in_tsql/*.sql`
`tables`              CREATE and ALTER TABLE, indexes; `constraints` keys, checks and defaults; `renaming` sp_rename
`local_tables`        #tables, table variables; `table_values` table-valued parameters
`definitions`         views, procedures, types, schemas; `objects` finds what a name means
`principals`          users and roles; `ownership` ALTER AUTHORIZATION and TRANSFER
`grants`              GRANT, DENY, REVOKE
`logins`              passwords and who a login is; `administration` logins and databases
`firewall_rules`      the procedures that set firewall rules; `extended_properties` those of a database
====================  =================================================================================
"""
