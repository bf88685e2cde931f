"""Which of the service's regions are near an organization."""

from __future__ import annotations

import pytest

from setup_kit.environment.regions import regions_near


@pytest.mark.parametrize(
    ("url", "geography", "regions"),
    [
        ("https://contoso.crm4.dynamics.com", "", ("North Europe", "West Europe")),
        ("https://contoso.api.crm4.dynamics.com", "", ("North Europe", "West Europe")),
        ("https://contoso.crm.dynamics.com", "", ("East US", "West US")),
        ("https://contoso.CRM11.dynamics.com/", "", ("UK South", "UK West")),
        ("https://contoso.crm12.dynamics.com", "", ()),
        ("https://crm4.dynamics.com", "", ()),
        ("https://contoso.crm4.dynamics.cn", "", ()),
        ("https://127.0.0.1:1234", "EMEA", ("North Europe", "West Europe")),
        ("https://127.0.0.1:1234", "Atlantis", ()),
        ("https://127.0.0.1:1234", "", ()),
    ],
)
def test_address_and_geography_tell_the_regions(url: str, geography: str, regions: tuple[str, ...]) -> None:
    assert regions_near(url, geography) == regions
