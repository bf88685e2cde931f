"""T-SQL's text, read into statements.

=====================  =================================================================================
`statements`           what is carried out, as values, on data, of flow and of the session: begin here
`statements_objects`   those on tables, table variables, indexes, views, procedures, types and schemas
`statements_security`  those on logins, users, roles, permissions, owners and databases
`dialect`              tokens and expressions, by sqlglot, with SQL Server's own functions left as they are written
`shape`                what of sqlglot's tree means something here; the rest is refused
`cursor`               walking over tokens: words, names, literals, data types
`parser`               a batch; flow, variables, settings, procedures, EXEC
`parser_data`          SELECT, INSERT, UPDATE, DELETE, MERGE
`parser_objects`       CREATE, ALTER and DROP of tables, indexes, types, schemas
`parser_security`      logins, users, roles, owners; GRANT, DENY, REVOKE
`parser_bulk`          INSERT BULK
`declarations`         the parameters that a client declares as text
=====================  =================================================================================
"""
