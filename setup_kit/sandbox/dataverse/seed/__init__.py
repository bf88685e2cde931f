"""Fills a new organization with rows that hang together as those of a real one do, the same ones every time."""

from __future__ import annotations

import sqlite3

from setup_kit.sandbox.dataverse.database import FIRST_VERSION, Database
from setup_kit.sandbox.dataverse.organization import Organization
from setup_kit.sandbox.dataverse.schema import ACTIVITIES
from setup_kit.sandbox.dataverse.seed import customers, foundation, work
from setup_kit.sandbox.dataverse.seed.maker import Maker

ACCOUNTS, CONTACTS, LEADS, OPPORTUNITIES, CASES, TASKS, CALLS = 600, 1400, 700, 600, 800, 700, 150
CONTACTS_OF_LEADS, COMPETITORS_OF_OPPORTUNITIES = 320, 280


def fill(database: Database, connection: sqlite3.Connection, organization: Organization) -> None:
    """Fill the empty tables; `connection` is in a write transaction."""
    made = _make(Maker(database.schema, organization, FIRST_VERSION))
    for name, rows in made.rows.items():
        if not rows:
            continue
        columns = database.schema.tables[name].stored_columns
        names, marks = ", ".join(f'"{column}"' for column in columns), ", ".join("?" * len(columns))
        statement = f'INSERT INTO "{name}" ({names}) VALUES ({marks})'  # noqa: S608 (names of our own schema)
        connection.executemany(statement, ([row.get(column) for column in columns] for row in rows))
    connection.execute("UPDATE settings SET value = ? WHERE name = 'last_version'", (made.version,))


def _make(make: Maker) -> Maker:
    def times(usual: int) -> range:
        return range(max(1, round(usual * make.organization.records)))

    foundation.make_all(make)
    accounts = [customers.account(make, number) for number in times(ACCOUNTS)]
    contacts = [customers.contact(make, number, accounts) for number in times(CONTACTS)]
    customers.families(make, accounts, contacts)
    leads = [customers.lead(make, number) for number in times(LEADS)]
    opportunities = [work.opportunity(make, number, accounts, contacts) for number in times(OPPORTUNITIES)]
    work.qualified(leads, opportunities)
    for number in times(CASES):
        work.case(make, number, accounts, contacts)
    regarding = [
        (table, row) for table in ("account", "contact", "lead", "opportunity", "incident") for row in make.rows[table]
    ]
    for kind, usual in zip(ACTIVITIES, (TASKS, CALLS), strict=True):
        for number in times(usual):
            work.activity(make, kind, number, regarding)
    work.pairs(make, "contactleads", contacts, leads, len(times(CONTACTS_OF_LEADS)))
    competing = len(times(COMPETITORS_OF_OPPORTUNITIES))
    work.pairs(make, "opportunitycompetitors", opportunities, make.rows["competitor"], competing)
    return make
