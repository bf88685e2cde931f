"""What an organization has before any customer: units, currencies, roles, users, teams, competitors."""

from __future__ import annotations

from setup_kit.sandbox.dataverse.schema import stable_id
from setup_kit.sandbox.dataverse.seed import words
from setup_kit.sandbox.dataverse.seed.maker import Maker, Row

SYSTEM_ADMINISTRATOR_TEMPLATE = "627090ff-40a3-4053-8790-584edc5be201"
SYSTEM_CUSTOMIZER_TEMPLATE = "119f245c-3cc8-4b62-b31c-d1a046ced15d"
SYSTEM_ADMINISTRATOR = "System Administrator"
SERVICE_READER = "Service Reader"
CURRENCIES = (
    ("Euro", "EUR", "€", "1.0000000000", 2),
    ("US Dollar", "USD", "$", "1.0837000000", 2),
    ("Pound Sterling", "GBP", "£", "0.8465312000", 2),
    ("Danish Krone", "DKK", "kr.", "7.4592000000", 2),
    ("Japanese Yen", "JPY", "¥", "163.4500000000", 0),
)


def make_all(make: Maker) -> None:
    organization(make)
    business_units(make)
    currencies(make)
    roles(make)
    users(make)
    teams(make)
    competitors(make)


def organization(make: Maker) -> None:
    make.add(
        "organization",
        organizationid=make.organization.id,
        name=make.organization.name,
        isauditenabled=1,
        isuseraccessauditenabled=0,
        isdisabled=0,
        expirechangetrackingindays=30,
        expiresubscriptionsindays=90,
        languagecode=1033,
        localeid=1033,
        basecurrencyid=stable_id("currency", "EUR"),
        basecurrencysymbol="€",
        basecurrencyprecision=2,
        baseisocurrencycode="EUR",
        maxuploadfilesize=5242880,
    )


def business_units(make: Maker) -> None:
    for name in (make.organization.name, "Europe", "Americas", "アジア太平洋"):
        root = make.rows["businessunit"][0] if make.rows["businessunit"] else None
        make.add(
            "businessunit",
            name=name,
            divisionname=None if root is None else "Sales & Service",
            parentbusinessunitid=root["businessunitid"] if root else None,
            organizationid=make.organization.id,
            isdisabled=0,
            workflowsuspended=0,
            creditlimit=None if root is None else 1.5e6,
            transactioncurrencyid=stable_id("currency", "EUR"),
            exchangerate="1.0000000000",
            address1_addressid=make.new_id(),
            address2_addressid=make.new_id(),
        )


def currencies(make: Maker) -> None:
    for name, code, symbol, rate, precision in CURRENCIES:
        make.add(
            "transactioncurrency",
            transactioncurrencyid=stable_id("currency", code),
            currencyname=name,
            isocurrencycode=code,
            currencysymbol=symbol,
            exchangerate=rate,
            currencyprecision=precision,
            organizationid=make.organization.id,
            statecode=0,
            statuscode=1,
        )


def roles(make: Maker) -> None:
    templates = {
        SYSTEM_ADMINISTRATOR: SYSTEM_ADMINISTRATOR_TEMPLATE,
        "System Customizer": SYSTEM_CUSTOMIZER_TEMPLATE,
    }
    for name, template in templates.items():
        make.add("roletemplate", roletemplateid=template, name=name)
    for name in (*templates, SERVICE_READER, "Salesperson", "Customer Service Representative"):
        role_id = stable_id("role", name)
        make.add(
            "role",
            roleid=role_id,
            name=name,
            businessunitid=make.rows["businessunit"][0]["businessunitid"],
            roletemplateid=templates.get(name),
            parentrootroleid=role_id,
            isinherited=1,
            organizationid=make.organization.id,
        )


def users(make: Maker) -> None:
    user(make, make.system, "SYSTEM", "", accessmode=3, isdisabled=1)
    for number in range(24):
        someone = user(make, make.new_id(), *make.person(), unit=number)
        role = make.rows["role"][3 + number % 2]
        make.add("systemuserroles", systemuserid=someone["systemuserid"], roleid=role["roleid"])
    everyone = make.rows["systemuser"]
    for someone in everyone[3:]:
        someone["parentsystemuserid"] = everyone[1 + make.random.randrange(2)]["systemuserid"]
    everyone[-1]["isdisabled"] = 1
    everyone[-1]["disabledreason"] = "Left the company"


def user(make: Maker, user_id: str, first: str, last: str, unit: int = 0, **values: object) -> Row:
    name = f"{first} {last}".strip()
    units = make.rows["businessunit"]
    mail = f"user{len(make.rows['systemuser']):02}@contoso.example"
    given: Row = {
        "systemuserid": user_id,
        "firstname": first,
        "lastname": last or first,
        "fullname": name,
        "yomifullname": name,
        "internalemailaddress": mail,
        "domainname": mail,
        "windowsliveid": mail,
        "azureactivedirectoryobjectid": make.new_id(),
        "businessunitid": units[unit % len(units)]["businessunitid"],
        "organizationid": make.organization.id,
        "isdisabled": 0,
        "accessmode": 0,
        "islicensed": 1,
        "setupuser": 0,
        "isintegrationuser": 0,
        "issyncwithdirectory": 1,
        "isemailaddressapprovedbyo365admin": 1,
        "displayinserviceviews": 1,
        "defaultfilterspopulated": 0,
        "caltype": 0,
        "userlicensetype": -1,
        "incomingemaildeliverymethod": 2,
        "outgoingemaildeliverymethod": 2,
        "emailrouteraccessapproval": 1,
        "invitestatuscode": 4,
        "preferredaddresscode": 1,
        "preferredemailcode": 1,
        "preferredphonecode": 1,
        "address1_addressid": make.new_id(),
        "address2_addressid": make.new_id(),
    }
    return make.add("systemuser", **(given | values))


def teams(make: Maker) -> None:
    for unit in make.rows["businessunit"]:
        team = make.add(
            "team",
            name=unit["name"],
            yominame=unit["name"],
            teamtype=0,
            isdefault=1,
            systemmanaged=1,
            businessunitid=unit["businessunitid"],
            administratorid=make.rows["systemuser"][1]["systemuserid"],
            organizationid=make.organization.id,
            description="Default team for the parent business unit.",
        )
        for member in make.rows["systemuser"][1:]:
            if member["businessunitid"] == unit["businessunitid"]:
                make.add("teammembership", teamid=team["teamid"], systemuserid=member["systemuserid"])


def competitors(make: Maker) -> None:
    for name in words.COMPETITORS:
        revenue, currency = make.money(9), make.choice(make.rows["transactioncurrency"])
        make.add(
            "competitor",
            name=name,
            organizationid=make.organization.id,
            websiteurl=f"https://{make.random.randrange(1000)}.example",
            strengths=make.memo(2),
            weaknesses=make.memo(2),
            winpercentage=make.random.randrange(0, 10000) / 100,
            **make.currency(currency, reportedrevenue=revenue),
        )
