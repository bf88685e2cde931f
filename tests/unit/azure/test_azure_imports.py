"""The SDKs take long to import: nothing of the kit does it before it needs them."""

from __future__ import annotations

import subprocess
import sys


def test_no_sdk_is_imported_before_a_client_is_made() -> None:
    code = (
        "import sys\n"
        "import setup_kit.identity, setup_kit.azure.clients, setup_kit.resources.vault_access\n"
        "import setup_kit.resources.secret, setup_kit.resources.database, setup_kit.resources.operator_rule\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('azure', 'msal', 'requests', 'pyodbc')])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
