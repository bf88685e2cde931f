"""The local cloud: Entra, Resource Manager, Graph, Key Vault, SQL, Dataverse and the export service on 127.0.0.1.

One process (`host`) serves every part (`cloud` puts them together) over TLS from one directory. What the parts hold
are documents in one store (`state`), read afresh on each request, so that whoever writes a document has changed the
world. `tenant` says who there is, `entra` signs and checks their tokens, `access` knows the roles, `resource_manager`
provisions, `key_vault` keeps secrets, `graph` answers about the tenant, `sql` and `dataverse` hold the data. `process`
starts and stops the host from a command line. The sandbox is a rehearsal: what it does not know it refuses by name.

It imports nothing of the kit's own side.
"""
