"""The Azure resources in the engine's hands: many threads at once, and nothing secret in any log."""

from __future__ import annotations

import importlib
import logging
import threading

import pytest

from setup_kit.engine.events import Event
from setup_kit.engine.executor import Result, Temporaries, execute
from setup_kit.engine.planner import Plan, make_plan
from setup_kit.secret import Secret
from tests.sandbox.azure.conftest import WRITES, Kit, clients_of, identity_of


def listen(event: Event) -> None:
    return None


def plan(kit: Kit) -> Plan:
    return make_plan(kit.resources, listen, threading.Event())


def apply(kit: Kit) -> Result:
    result = execute(plan(kit), listen, Temporaries(listen), threading.Event())
    assert not result.failures
    return result


@pytest.fixture
def fresh(kit: Kit) -> Kit:
    """With clients that nobody has used, so that all are made at once by the threads that need them."""
    return Kit(kit.sandbox, kit.environment, clients_of(kit.sandbox, identity_of(kit.sandbox)))


def test_a_first_run_makes_everything_and_a_second_one_nothing(fresh: Kit) -> None:
    first = plan(fresh)
    assert not first.failures
    assert {change.resource for change in first.changes} >= {
        resource.address for resource in fresh.resources if resource is not fresh.principal
    }
    apply(fresh)
    again = Kit(fresh.sandbox, fresh.environment, fresh.azure)
    before = len(fresh.requests())
    assert apply(again).made == ()
    assert not [entry for entry in fresh.requests()[before:] if entry["method"] in WRITES]
    assert plan(Kit(fresh.sandbox, fresh.environment, fresh.azure)).empty
    fresh.azure.close()


def test_the_models_of_the_sdks_are_settled_before_two_threads_can_use_one_at_once(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The SDKs work out the fields of a model when its first is made; threads that do so at once get a bare dict.
    settled: dict[str, set[str]] = {}
    for package in ("mgmt.sql", "mgmt.keyvault", "mgmt.resource.resources", "keyvault.secrets._generated"):
        models = importlib.import_module(f"azure.{package}._utils.model_base")
        settled[package] = set()
        monkeypatch.setattr(models.Model, "_calculated", settled[package])
    fresh = Kit(kit.sandbox, kit.environment, clients_of(kit.sandbox, identity_of(kit.sandbox)))
    fresh.azure.make_all()
    before = {package: set(names) for package, names in settled.items()}
    apply(fresh)
    assert plan(Kit(fresh.sandbox, fresh.environment, fresh.azure)).empty
    assert settled == before
    fresh.azure.close()


def test_a_plan_sends_no_write_but_the_question_whether_names_are_free(fresh: Kit) -> None:
    before = len(fresh.requests())
    plan(fresh)
    written = [entry["path"] for entry in fresh.requests()[before:] if entry["method"] in WRITES]
    assert {path.rpartition("/")[2] for path in written} == {"checkNameAvailability"}
    fresh.azure.close()


def test_a_failed_server_does_not_stop_the_vault(kit: Kit) -> None:
    kit.sandbox.state.put("taken-names", f"server/{kit.server.name}", {})
    made = plan(kit)
    assert set(made.failures) == {kit.server}
    assert kit.vault in made.planned


def test_nothing_secret_is_logged_even_when_everything_is(fresh: Kit, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    named = fresh.but(sql={"administrator": {"entra_group": None, "sql_login": "boss"}})
    named.settle()
    assert named.secret.observed is not None
    identity = fresh.azure.identity
    document = fresh.sandbox.document
    audiences = [document[f"{name}_audience"] for name in ("resource_manager", "graph", "vault")]
    secrets = [named.secret.observed.password, named.secret.observed.value, Secret("Very-Secret-1")]
    secrets += [Secret(document["client_secret"]), *(identity.token(audience) for audience in audiences)]
    assert caplog.text
    for secret in secrets:
        assert secret is not None
        assert secret.reveal() not in caplog.text
    fresh.azure.close()
