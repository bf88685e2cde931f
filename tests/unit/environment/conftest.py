from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from setup_kit.environment.loading import load
from setup_kit.environment.models import Environment
from setup_kit.environment.problems import EnvironmentFileError, Problem

GOOD = """\
cloud: public
tenant: 11111111-2222-3333-4444-555555555551
subscription: 11111111-2222-3333-4444-555555555552
location: westeurope
resource_group: rg-contoso
sql:
  server: sql-contoso
  administrator:
    entra_group:
      name: SQL Administrators
      object_id: 11111111-2222-3333-4444-555555555553
  database:
    name: crm-export
  firewall:
    service_region: West Europe
    rules:
      - name: office
        start: 203.0.113.0
        end: 203.0.113.7
key_vault:
  name: kv-contoso
dynamics:
  organization_url: https://contoso.crm4.dynamics.com
  organization_id: 11111111-2222-3333-4444-555555555554
profile:
  name: Contoso CRM
  prefix: crm
  entities: [account, contact]
"""


@pytest.fixture
def good() -> str:
    """A file without a fault."""
    return GOOD


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes environments/<name>.yaml below the test's folder."""

    def write(text: str | bytes, name: str = "prod.yaml") -> Path:
        path = tmp_path / "environments" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


@pytest.fixture
def loaded(tmp_path: Path, write: Callable[..., Path]) -> Callable[[str], Environment]:
    """The environment that a file of this text gives."""

    def loaded(text: str) -> Environment:
        write(text)
        return load("prod", tmp_path).environment

    return loaded


@pytest.fixture
def problems(tmp_path: Path, write: Callable[..., Path]) -> Callable[..., tuple[Problem, ...]]:
    """All that is wrong with a file of this text."""

    def problems(text: str | bytes, was: str = "", becomes: str = "") -> tuple[Problem, ...]:
        if was:
            assert isinstance(text, str) and was in text
            text = text.replace(was, becomes)
        write(text)
        with pytest.raises(EnvironmentFileError) as caught:
            load("prod", tmp_path)
        return caught.value.problems

    return problems
