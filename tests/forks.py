"""Processes that are forked when what they need is imported already: one server of forks for all tests of a process."""

from __future__ import annotations

import multiprocessing

#: What a fork finds imported. There is one server in a process, so one list for all who fork.
_PRELOADED = (
    "setup_kit.cli.apply", "setup_kit.cli.session", "setup_kit.resources.build", "setup_kit.environment.loading",
    "setup_kit.report.documents", "setup_kit.report.console", "setup_kit.report.progress", "setup_kit.sandbox.sql",
    "azure.identity", "azure.keyvault.secrets", "azure.mgmt.authorization.v2022_04_01", "azure.mgmt.keyvault",
    "azure.mgmt.resource.resources", "azure.mgmt.sql", "pyodbc", "tests.sandbox.sql.apart",
    "tests.sandbox.job.preloaded",
)  # fmt: skip

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(list(_PRELOADED))
