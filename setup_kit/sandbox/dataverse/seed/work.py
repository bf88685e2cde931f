"""What is sold and served: opportunities, cases, activities, and pairs of N:N relationships."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from setup_kit.sandbox.dataverse.seed import words
from setup_kit.sandbox.dataverse.seed.maker import Maker, Row


def opportunity(make: Maker, number: int, accounts: list[Row], contacts: list[Row]) -> Row:
    account = make.choice(accounts)
    contact = make.choice(contacts)
    won, lost = number % 4 == 1, number % 7 == 3 and number % 4 != 1
    amount = make.money(6)
    closed = make.day(400) if won or lost else None
    customer: Row = (
        {"customerid": contact["contactid"], "customeridtype": "contact"}
        if number % 11 == 4
        else {"customerid": account["accountid"], "customeridtype": "account"}
    )
    return make.owned(
        "opportunity",
        name=f"{make.choice(words.TOPICS)} / {account['name']}"[:300],
        parentaccountid=account["accountid"],
        parentcontactid=make.maybe(0.5, contact["contactid"]),
        accountid=account["accountid"] if customer["customeridtype"] == "account" else None,
        contactid=contact["contactid"] if customer["customeridtype"] == "contact" else None,
        **customer,
        statecode=1 if won else 2 if lost else 0,
        statuscode=3 if won else make.choice((4, 5)) if lost else make.choice((1, 2)),
        closeprobability=make.random.randrange(0, 101),
        estimatedclosedate=make.day(300),
        actualclosedate=closed,
        opportunityratingcode=make.option("opportunity.opportunityratingcode"),
        salesstage=make.option("opportunity.salesstage"),
        budgetstatus=make.maybe(0.5, make.option("budgetstatus")),
        purchaseprocess=make.maybe(0.5, make.option("purchaseprocess")),
        discountpercentage=make.maybe(0.3, f"{make.random.randrange(0, 10001) / 100:.2f}"),
        customerneed=make.maybe(0.3, make.memo(3)),
        proposedsolution=make.maybe(0.3, make.memo(3)),
        description=make.maybe(0.4, make.memo(5)),
        **make.defaults("opportunity"),
        **make.currency(
            make.choice(make.rows["transactioncurrency"]),
            estimatedvalue=amount,
            actualvalue=amount if won else None,
            totalamount=amount,
            totaltax="0.00",
            budgetamount=make.maybe(0.4, make.money(6)),
        ),
    )


def qualified(leads: list[Row], opportunities: list[Row]) -> None:
    qualified = [lead for lead in leads if lead["statecode"] == 1]
    for lead, opportunity in zip(qualified, opportunities, strict=False):
        lead["qualifyingopportunityid"] = opportunity["opportunityid"]
        lead["parentaccountid"] = opportunity["parentaccountid"]
        lead["parentcontactid"] = opportunity["parentcontactid"]
        opportunity["originatingleadid"] = lead["leadid"]


def case(make: Maker, number: int, accounts: list[Row], contacts: list[Row]) -> Row:
    person = number % 3 == 2
    customer = make.choice(contacts if person else accounts)
    resolved, cancelled = number % 2 == 1, number % 17 == 6
    state, status = (1, make.choice((5, 1000))) if resolved else (2, 6) if cancelled else (0, make.choice((1, 2, 3, 4)))
    return make.owned(
        "incident",
        title=f"{make.choice(words.PROBLEMS)} #{number}"[:200],
        ticketnumber=f"CAS-{number + 1000:05}-{make.code()}",
        customerid=customer["contactid" if person else "accountid"],
        customeridtype="contact" if person else "account",
        contactid=customer["contactid"] if person else None,
        accountid=None if person else customer["accountid"],
        primarycontactid=None if person else customer.get("primarycontactid"),
        statecode=state,
        statuscode=status,
        casetypecode=make.option("incident.casetypecode"),
        caseorigincode=make.option("incident.caseorigincode"),
        prioritycode=make.option("incident.prioritycode"),
        severitycode=1,
        customersatisfactioncode=make.maybe(0.4, make.option("incident.customersatisfactioncode")),
        sentimentvalue=make.maybe(0.3, make.random.randrange(-100000, 100000) / 100000),
        followupby=make.maybe(0.3, f"{make.day(60)}T00:00:00Z"),
        escalatedon=make.maybe(0.05, make.moment(make.clock)),
        description=("x" * 1999 + "é") if number == 5 else make.maybe(0.7, make.memo(16 if number % 40 == 0 else 4)),
        **make.defaults("incident"),
        **make.currency(make.choice(make.rows["transactioncurrency"])),
    )


def activity(make: Maker, kind: str, number: int, regarding: Sequence[tuple[str, Row]]) -> Row:
    table, row = make.choice(regarding)
    done, cancelled = number % 3 == 1, number % 13 == 5 and number % 3 != 1
    open_status = make.choice((2, 3, 4, 7)) if kind == "task" else 1
    closed_status = {"task": (5, 6), "phonecall": (2, 3)}[kind]
    start = make.clock + timedelta(days=make.random.randrange(1, 60))
    return make.owned(
        kind,
        activitytypecode=kind,
        subject=f"{make.choice(words.DEEDS)} – {number}",
        description=make.maybe(0.5, make.memo(3)),
        regardingobjectid=row[make.schema.tables[table].primary_id],
        regardingobjectidtype=table,
        statecode=1 if done else 2 if cancelled else 0,
        statuscode=closed_status[0] if done else closed_status[1] if cancelled else open_status,
        prioritycode=make.choice((0, 1, 2)),
        scheduledstart=make.moment(start),
        scheduledend=make.moment(start + timedelta(minutes=30)),
        actualend=make.moment(start + timedelta(hours=1)) if done else None,
        actualdurationminutes=make.maybe(0.5, make.random.randrange(0, 480)),
        **make.defaults(kind),
        **({"percentcomplete": 100 if done else 0} if kind == "task" else {"phonenumber": make.phone()}),
    )


def pairs(make: Maker, intersect: str, left: Sequence[Row], right: Sequence[Row], count: int) -> None:
    relationship = make.schema.relationship_through(intersect)
    key1 = make.schema.tables[relationship.table1].primary_id
    key2 = make.schema.tables[relationship.table2].primary_id
    seen: set[tuple[object, object]] = set()
    while len(seen) < count:
        pair = (make.choice(left)[key1], make.choice(right)[key2])
        if pair not in seen:
            seen.add(pair)
            make.add(intersect, **{relationship.attribute1: pair[0], relationship.attribute2: pair[1]})
