"""Accounts with their contacts, and leads."""

from __future__ import annotations

from setup_kit.sandbox.dataverse.seed import words
from setup_kit.sandbox.dataverse.seed.maker import Maker, Row

# The furthest values that Dataverse takes: of money, and of SQL Server's datetime.
MOST_MONEY, LEAST_MONEY = "922337203685477.00", "-922337203685477.00"
FIRST_DATE, LAST_DATE = "1753-01-01T00:00:00Z", "9999-12-30T23:59:59Z"


def account(make: Maker, number: int) -> Row:
    name = f"{make.choice(words.COMPANY_WORDS)} {make.choice(words.COMPANY_KINDS)}"
    name = f"{name} {make.choice(words.COMPANY_FORMS)}"
    if number == 0:
        name = ('Ærø & Søn\'s "Quoted"; DROP TABLE -- ' * 8)[:160]
    amounts: dict[str, str | None] = {
        "revenue": make.maybe(0.7, make.money(8)),
        "creditlimit": make.maybe(0.5, make.money(5)),
        "marketcap": make.maybe(0.2, make.money(9)),
    }
    if number in (1, 2):
        amounts["revenue"] = MOST_MONEY if number == 1 else "0.01"
        amounts["marketcap"] = LEAST_MONEY if number == 2 else None
    currency = (
        make.rows["transactioncurrency"][0] if number in (1, 2) else make.choice(make.rows["transactioncurrency"])
    )
    return make.owned(
        "account",
        name=name,
        accountnumber=f"ACC-{number:06}",
        statuscode=2 if number % 29 == 7 else 1,
        statecode=1 if number % 29 == 7 else 0,
        industrycode=make.maybe(0.8, make.option("account.industrycode")),
        accountcategorycode=make.maybe(0.4, make.option("account.accountcategorycode")),
        customertypecode=make.maybe(0.7, make.option("account.customertypecode")),
        ownershipcode=make.maybe(0.4, make.option("account.ownershipcode")),
        paymenttermscode=make.maybe(0.4, make.option("account.paymenttermscode")),
        numberofemployees=make.maybe(0.6, make.random.randrange(1, 90000)),
        sharesoutstanding=make.maybe(0.1, make.random.randrange(1, 10**9)),
        tickersymbol=make.maybe(0.1, "CTSO"),
        sic=make.maybe(0.2, str(make.random.randrange(1000, 9999))),
        websiteurl=make.maybe(0.6, f"https://www.customer{number}.example/?a=1&b=%27"),
        emailaddress1=make.maybe(0.8, f"info@customer{number}.example"),
        telephone1=make.phone(),
        fax=make.maybe(0.2, make.phone()),
        description=make.maybe(0.5, make.memo(12 if number % 50 == 3 else 3)),
        lastonholdtime=(FIRST_DATE if number == 3 else LAST_DATE if number == 4 else None),
        **make.defaults("account"),
        **make.address(1),
        **make.address(2, 0.15),
        **make.currency(currency, **amounts),
    )


def contact(make: Maker, number: int, accounts: list[Row]) -> Row:
    first, last = make.person()
    company = make.choice(accounts) if make.random.random() < 0.85 else None
    gender = make.maybe(0.7, make.option("contact.gendercode"))
    birth = f"{make.random.randrange(1935, 2006)}-{make.random.randrange(1, 13):02}-{make.random.randrange(1, 29):02}"
    return make.owned(
        "contact",
        firstname=None if number % 97 == 5 else first,
        middlename=make.maybe(0.05, "J."),
        lastname=last,
        fullname=last if number % 97 == 5 else f"{first} {last}",
        yomifullname=last if number % 97 == 5 else f"{first} {last}",
        salutation=make.maybe(0.2, "Dr."),
        jobtitle=make.maybe(0.6, make.choice(words.JOB_TITLES)),
        statecode=1 if number % 31 == 9 else 0,
        statuscode=2 if number % 31 == 9 else 1,
        parentcustomerid=company["accountid"] if company else None,
        parentcustomeridtype="account" if company else None,
        accountid=company["accountid"] if company else None,
        gendercode=gender,
        familystatuscode=make.maybe(0.3, make.option("contact.familystatuscode")),
        accountrolecode=make.maybe(0.3, make.option("contact.accountrolecode")),
        birthdate="1753-01-01" if number == 1 else make.maybe(0.4, birth),
        anniversary=make.maybe(0.1, "2004-02-29"),
        emailaddress1=make.maybe(0.9, f"person{number}@customer{number % len(accounts)}.example"),
        telephone1=make.maybe(0.8, make.phone()),
        mobilephone=make.maybe(0.5, make.phone()),
        numberofchildren=make.maybe(0.2, make.random.randrange(0, 7)),
        description=make.maybe(0.2, make.memo(2)),
        **make.defaults("contact"),
        **make.address(1, 0.7),
        **make.address(2, 0.1),
        **make.address(3, 0.05),
        **make.currency(
            make.choice(make.rows["transactioncurrency"]),
            annualincome=make.maybe(0.2, make.money(5)),
            creditlimit=make.maybe(0.2, make.money(4)),
        ),
    )


def families(make: Maker, accounts: list[Row], contacts: list[Row]) -> None:
    """A primary contact among an account's own contacts, and parents that come before their children."""
    people: dict[object, list[Row]] = {}
    for contact in contacts:
        people.setdefault(contact["accountid"], []).append(contact)
    for number, account in enumerate(accounts):
        own = people.get(account["accountid"])
        if own:
            account["primarycontactid"] = make.choice(own)["contactid"]
        if number > 10 and make.random.random() < 0.25:
            account["parentaccountid"] = accounts[make.random.randrange(number)]["accountid"]


def lead(make: Maker, number: int) -> Row:
    first, last = make.person()
    qualified, lost = number % 5 == 1, number % 5 == 2
    topic = f"{make.choice(words.TOPICS)} ({number})"
    return make.owned(
        "lead",
        subject=("見" * 300 if number == 7 else topic),
        firstname=first,
        lastname=last,
        fullname=f"{first} {last}",
        companyname=make.maybe(0.9, f"{make.choice(words.COMPANY_WORDS)} {make.choice(words.COMPANY_FORMS)}"),
        statecode=1 if qualified else 2 if lost else 0,
        statuscode=3 if qualified else make.choice((4, 5, 6, 7)) if lost else make.choice((1, 2)),
        leadsourcecode=make.maybe(0.7, make.option("lead.leadsourcecode")),
        leadqualitycode=make.option("lead.leadqualitycode"),
        industrycode=make.maybe(0.6, make.option("lead.industrycode")),
        budgetstatus=make.maybe(0.4, make.option("budgetstatus")),
        need=make.maybe(0.3, make.option("need")),
        purchasetimeframe=make.maybe(0.3, make.option("purchasetimeframe")),
        estimatedclosedate=make.maybe(0.4, make.day(200)),
        estimatedvalue=make.maybe(0.3, make.random.randrange(1, 10**8) / 100),
        numberofemployees=make.maybe(0.4, make.random.randrange(1, 5000)),
        emailaddress1=make.maybe(0.9, f"lead{number}@prospect.example"),
        telephone1=make.maybe(0.7, make.phone()),
        jobtitle=make.maybe(0.5, make.choice(words.JOB_TITLES)),
        description=make.maybe(0.4, make.memo(4)),
        **make.defaults("lead"),
        **make.address(1, 0.6),
        **make.currency(
            make.choice(make.rows["transactioncurrency"]),
            budgetamount=make.maybe(0.4, make.money(6)),
            revenue=make.maybe(0.3, make.money(8)),
            estimatedamount=make.maybe(0.3, make.money(6)),
        ),
    )
