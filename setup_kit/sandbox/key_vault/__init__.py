"""Key Vault's data plane, one HTTPS port a vault: `store` keeps secrets, `rights` decides, `api` speaks HTTP."""
