"""Typed calls to Azure Resource Manager, Key Vault and Microsoft Graph.

`clients` hands out one client for each service; they return values of their own, None for what is not there, and raise
`errors.AzureRefusal`. The SDKs are imported only when a client is made.
"""
