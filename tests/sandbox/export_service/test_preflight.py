"""Preflight and doctor against the sandbox, in which one thing or several are wrong."""

from __future__ import annotations

import uuid
from dataclasses import replace
from threading import Event

import pytest

from setup_kit.engine.resource import Check, Finding, Severity, Status
from setup_kit.errors import KitError
from setup_kit.export_service.client import ExportServiceClient
from setup_kit.identity import Identity
from setup_kit.resources.doctor.examination import examine
from setup_kit.resources.doctor.machine import Machine
from setup_kit.resources.preflight import Preflight
from setup_kit.resources.sign_in import SignIn
from tests.sandbox.export_service.kit import Kit
from tests.sandbox.export_service.stand_in import StandIn


def quiet(event: object) -> None:
    return None


def failed(findings: list[Finding]) -> list[str]:
    assert all(finding.remedy for finding in findings if finding.status is Status.FAILED)
    return [finding.message for finding in findings if finding.status is Status.FAILED]


def test_everything_that_is_as_it_must_be_passes(kit: Kit) -> None:
    findings = kit.preflight(kit.environment(profile__relationships=["contactleads_association"])).run()
    assert [finding.check for finding in findings] == [
        "preflight.organization",
        "preflight.service",
        "preflight.entities",
        "preflight.relationships",
        "preflight.server",
        "preflight.vault",
    ]
    assert failed(findings) == []


def test_all_problems_are_found_at_once(kit: Kit) -> None:
    environment = kit.environment(
        dynamics__organization_id=str(uuid.uuid4()),
        profile__entities=["account", "acount", "competitor", "roletemplate"],
        profile__relationships=["contactleads_asociation"],
    )
    client = ExportServiceClient(
        kit.identity,
        kit.cloud,
        organization_url=kit.sandbox["organization"]["url"],
        organization_id=kit.sandbox["organization"]["id"],
    )
    findings = Preflight(environment, kit.azure, kit.organization, client).run()
    text = "\n".join(failed(findings))
    assert "but the environment file says" in text
    assert "no entity acount" in text
    assert "change tracking is off for the entity competitor" in text
    assert "change tracking is off for the entity roletemplate" in text
    assert "no N:N relationship contactleads_asociation" in text
    remedies = "\n".join(finding.remedy for finding in findings)
    assert "was account meant?" in remedies
    assert "Track changes" in remedies
    assert "cannot be switched on" in remedies
    assert "was contactleads_association meant?" in remedies
    client.close()


def test_a_region_of_the_service_that_is_none_of_the_organization_s_is_warned_of(kit: Kit) -> None:
    """Until then the server does not admit the service, which only its own trial of the profile would meet."""
    for admitted, severity in ((False, Severity.HIGH), (True, Severity.LOW)):
        firewall = {"service_region": "UK South", "allow_azure_services": admitted}
        findings = kit.preflight(kit.environment(sql__firewall=firewall)).run()
        [found] = [finding for finding in findings if finding.check == "preflight.service_region"]
        assert (found.status, found.severity) == (Status.WARNING, severity)
        assert "UK South" in found.message
        assert "North Europe or West Europe" in found.remedy
        assert "EMEA" in found.evidence


def test_another_tenant_of_the_organization_is_named(kit: Kit) -> None:
    other = str(uuid.uuid4())
    findings = kit.preflight(kit.environment(tenant=other)).run()
    assert any(f"the environment file says {other}" in message for message in failed(findings))


def test_an_old_organization_in_administration_mode_is_named_with_both(kit: Kit) -> None:
    with kit.dataverse() as organization:
        before = organization.condition()
        organization.set_condition(version="8.1.0.512", administration_mode=True)
        try:
            messages = failed(kit.preflight(kit.environment()).run())
        finally:
            organization.set_condition(version=before.version, administration_mode=before.administration_mode)
    assert len(messages) == 2
    assert "8.1.0.512; 8.2" in messages[0]
    assert "administration mode" in messages[1]


def test_a_caller_who_is_no_administrator_of_the_organization_is_told_once_for_each_host(kit: Kit) -> None:
    stranger = kit.stranger()
    environment = kit.environment()
    findings = stranger.preflight(environment).run()
    messages = failed(findings)
    assert any("not a System Administrator" in message for message in messages)
    assert any("refused to answer RetrieveCurrentOrganization" in message for message in messages)
    stranger.close()


def test_a_server_name_that_somebody_else_has_is_refused(kit: Kit) -> None:
    theirs = kit.environment()
    kit.azure.resource_groups.put(theirs.resource_group, "westeurope", {})
    kit.azure.key_vaults.create(
        theirs.resource_group,
        theirs.key_vault.name,
        location="westeurope",
        tenant_id=str(theirs.tenant),
        rbac=True,
        tags={},
    )
    ours = kit.environment(key_vault__name=theirs.key_vault.name)
    (message,) = failed(kit.preflight(ours).run())
    assert f"the vault name {theirs.key_vault.name} is taken" in message
    kit.azure.key_vaults.delete(theirs.resource_group, theirs.key_vault.name)
    (message,) = failed(kit.preflight(ours).run())
    assert f"by a deleted vault of resource group {theirs.resource_group}" in message
    again = kit.preflight(theirs).run()
    assert failed(again) == []
    assert [finding.message for finding in again if finding.status is Status.WARNING] == [
        f"a deleted vault {theirs.key_vault.name} of resource group {theirs.resource_group} is there:"
        " apply recovers it, with its secrets"
    ]


def test_who_signed_in_is_told(kit: Kit) -> None:
    (finding,) = SignIn(kit.environment(), kit.identity).run()
    assert finding.status is Status.PASSED
    assert kit.sandbox["object_id"] in finding.message


def test_a_wrong_client_secret_is_the_authoritys_own_words(kit: Kit) -> None:
    identity = Identity(
        kit.cloud,
        kit.sandbox["tenant_id"],
        {"AZURE_CLIENT_ID": kit.sandbox["client_id"], "AZURE_CLIENT_SECRET": "wrong"},
    )
    with pytest.raises(KitError) as error:
        SignIn(kit.environment(), identity).run()
    assert "AADSTS7000215" in error.value.original


def test_this_machine_has_what_it_takes() -> None:
    assert failed(Machine(pinned_certificate=True).run()) == []


def test_the_doctor_finds_a_healthy_environment_healthy(kit: Kit) -> None:
    findings, _ = examine(
        kit.environment(), kit.cloud, kit.identity, kit.azure, kit.organization, kit.client, (), quiet, Event()
    )
    assert failed(findings) == []
    checks = {finding.check for finding in findings}
    assert {
        "machine.python",
        "machine.libodbc",
        "machine.driver",
        "reach",
        "clock",
        "sign_in",
        "service_principal",
    } <= checks
    assert "preflight.entities" in checks


def test_the_doctor_names_hosts_that_do_not_answer_and_a_sign_in_that_fails(kit: Kit, stand_in: StandIn) -> None:
    stand_in.close()
    cloud = replace(kit.cloud, graph=stand_in.address, discovery=stand_in.address)
    identity = Identity(
        kit.cloud, kit.sandbox["tenant_id"], {"AZURE_CLIENT_ID": str(uuid.uuid4()), "AZURE_CLIENT_SECRET": "x"}
    )
    client = ExportServiceClient(
        identity,
        cloud,
        organization_url=kit.sandbox["organization"]["url"],
        organization_id=kit.sandbox["organization"]["id"],
    )
    findings, _ = examine(kit.environment(), cloud, identity, kit.azure, kit.organization, client, (), quiet, Event())
    messages = failed(findings)
    unreached = [message for message in messages if stand_in.address in message]
    assert [message.partition(" does not answer at ")[0] for message in unreached] == [
        "Microsoft Graph",
        "the Data Export Service",
    ]
    assert any("AADSTS700016" in message for message in messages)
    skipped = [finding for finding in findings if finding.status is Status.SKIPPED]
    assert {finding.check for finding in skipped} >= {"preflight", "service_principal"}
    assert all(f"sign_in/{kit.sandbox['tenant_id']} failed" in finding.message for finding in skipped)


def test_preflight_runs_before_anything_else() -> None:
    assert issubclass(Preflight, Check)
    assert Preflight.first
    assert SignIn.first
