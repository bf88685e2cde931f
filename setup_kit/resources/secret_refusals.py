"""What a vault does not let the kit do with the secret, and who else may."""

from __future__ import annotations

from setup_kit.azure.errors import AzureRefusal
from setup_kit.azure.secrets import KeptOut
from setup_kit.errors import KitError


def not_allowed(verb: str, vault: str, secret: str, refusal: AzureRefusal) -> KitError:
    return KitError(
        f"You may not {verb} the secret {secret}",
        why=f"it needs the secret permission {verb}, which setup-kit does not give itself",
        remedy=f"have somebody who holds it run: {_command(verb, vault, secret)}",
        original=refusal.original,
    )


def not_listed(vault: str, secret: str, giving: str, refusal: AzureRefusal) -> KitError:
    """`giving`: the command that gives the caller the permission."""
    return KitError(
        f"You may not list the versions of the secret {secret}",
        why=f"the access policies of the key vault {vault} do not allow it: it needs the secret permission list, which"
        " setup-kit does not give itself",
        remedy=f"whoever manages the vault may give it to you: {giving}",
        original=refusal.original,
    )


def lies_deleted(refusal: AzureRefusal) -> bool:
    """Whether a deleted secret holds the name; Resource Manager says so in words alone."""
    return refusal.is_any("ObjectIsDeletedButRecoverable") or "deleted but recoverable" in refusal.message


def lying(vault: str, secret: str, kept_out: KeptOut, refusal: AzureRefusal) -> KitError:
    return KitError(
        f"The secret {secret} was deleted and still holds its name",
        why=f"Resource Manager recovers no secret, and {kept_out.why}",
        remedy=f"have somebody whom the vault admits run: {_command('recover', vault, secret)};"
        " or name another secret in 'key_vault.secret'",
        original=refusal.original,
    )


def kept_in(vault: str, secret: str, kept_out: KeptOut) -> str:
    """Why the secret stays."""
    return (
        f"Resource Manager deletes no secret, and {kept_out.why}: have somebody whom the vault admits run:"
        f" {_command('delete', vault, secret)}"
    )


def _command(verb: str, vault: str, secret: str) -> str:
    return f"az keyvault secret {verb} --vault-name {vault} --name {secret}"
