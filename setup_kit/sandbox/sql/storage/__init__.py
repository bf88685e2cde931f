"""Where everything is kept.

====================  =================================================================================
`store`               SQLite files of a logical server: one for the server, one per database; logins; the writer lock
`catalog`             what a database holds besides rows: objects, columns, keys, types, principals, permissions
`catalog_writer`      laying it out, changing it
`layout`              tables and indexes as SQLite has them
`transactions`        BEGIN, COMMIT, ROLLBACK and SAVE over SQLite's one transaction; who may write
`cache`               a cache that is bounded by the size of what it holds
====================  =================================================================================
"""
