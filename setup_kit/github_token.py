"""The token by which GitHub says which job of which repository asks; a federated credential trusts it.

Source: https://docs.github.com/actions/reference/security/oidc
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from urllib.parse import quote

from setup_kit.errors import KitError

URL, BEARER = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
# What Entra takes in exchange, in every cloud that has federated credentials.
AUDIENCE = "api://AzureADTokenExchange"
PATIENCE = 30.0


def offered(variables: Mapping[str, str]) -> bool:
    """Whether the job may ask for a token: `id-token: write` is among its permissions."""
    return bool(variables.get(URL) and variables.get(BEARER))


def job_token(variables: Mapping[str, str]) -> str:
    """A new token of the job, good for some minutes. Raises KitError when there is none to be had."""
    url = f"{variables[URL]}&audience={quote(AUDIENCE, safe='')}"
    try:
        if not url.startswith("https://"):
            raise ValueError(f"{URL} is no https address")
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {variables[BEARER]}"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 -- https, as was seen
            return str(json.load(answer)["value"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KitError(
            "GitHub gave the job no token to sign in with",
            why="its token service refused, or did not answer",
            remedy="see that the job has the permission id-token: write; then run it again",
            original=f"{type(error).__name__}: {error}",
        ) from error
