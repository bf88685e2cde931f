"""Makes rows and parts of rows, the same ones every time, and keeps what was made."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TypeVar

from setup_kit.sandbox.dataverse.organization import Organization
from setup_kit.sandbox.dataverse.schema import Schema, stable_id
from setup_kit.sandbox.dataverse.seed import words

START = datetime(2019, 3, 1, 8, 0, tzinfo=UTC)
T = TypeVar("T")
Row = dict[str, object]


class Maker:
    def __init__(self, schema: Schema, organization: Organization, first_version: int) -> None:
        self.schema = schema
        self.organization = organization
        self.random = random.Random(20161201)  # noqa: S311 (the same rows every time)
        self.version = first_version
        self.clock = START
        self.system = stable_id("SYSTEM")
        self.rows: dict[str, list[Row]] = {name: [] for name in schema.tables}

    def add(self, table: str, **values: object) -> Row:
        self.version += 1
        self.clock += timedelta(minutes=self.random.randrange(1, 500))
        moment = self.moment(self.clock)
        row: Row = {
            self.schema.tables[table].primary_id: self.new_id(),
            "versionnumber": self.version,
            "createdon": moment,
            "modifiedon": moment,
            "createdby": self.system,
            "modifiedby": self.system,
        }
        row.update(values)
        self.rows[table].append(row)
        return row

    def owned(self, table: str, **values: object) -> Row:
        author = self.choice(self.rows["systemuser"][1:])["systemuserid"]
        row = self.add(table, **values, createdby=author, modifiedby=author, timezoneruleversionnumber=0)
        if self.random.random() < 0.9:
            owner = self.choice(self.rows["systemuser"][1:-1])
            row["ownerid"] = row["owninguser"] = owner["systemuserid"]
            row["owneridtype"] = "systemuser"
        else:
            owner = self.choice(self.rows["team"])
            row["ownerid"] = row["owningteam"] = owner["teamid"]
            row["owneridtype"] = "team"
        row["owningbusinessunit"] = owner["businessunitid"]
        if self.random.random() < 0.3:
            changed = self.clock + timedelta(days=self.random.randrange(1, 400))
            row["modifiedon"] = self.moment(min(changed, datetime(2026, 6, 30, tzinfo=UTC)))
        return row

    def defaults(self, table: str) -> Row:
        """Two-option columns are never empty where the form has a default."""
        return {column.name: 0 for column in self.schema.tables[table].columns_of_type("Boolean")}

    def currency(self, currency: Row, **amounts: str | None) -> Row:
        """Amounts in a currency and in the base currency: amount / rate, to four places."""
        rate = Decimal(str(currency["exchangerate"]))
        row: Row = {
            "transactioncurrencyid": currency["transactioncurrencyid"],
            "exchangerate": currency["exchangerate"],
        }
        for name, amount in amounts.items():
            row[name] = amount
            row[f"{name}_base"] = None if amount is None else str(in_base_currency(Decimal(amount), rate))
        return row

    def address(self, number: int, likely: float = 0.9) -> Row:
        row: Row = {f"address{number}_addressid": self.new_id()}
        if self.random.random() < likely:
            city, county, country, code, latitude, longitude = self.choice(words.PLACES)
            line = f"{self.random.randrange(1, 400)} {self.choice(words.STREETS)}"
            row |= {
                f"address{number}_line1": line,
                f"address{number}_city": city,
                f"address{number}_stateorprovince": county,
                f"address{number}_postalcode": code,
                f"address{number}_country": country,
                f"address{number}_composite": f"{line}\r\n{city}, {county} {code}\r\n{country}",
                f"address{number}_latitude": latitude if number == 1 else None,
                f"address{number}_longitude": longitude if number == 1 else None,
            }
        return row

    def person(self) -> tuple[str, str]:
        return self.choice(words.FIRST_NAMES), self.choice(words.LAST_NAMES)

    def option(self, option_set: str) -> int:
        table, _, column = option_set.rpartition(".")
        found = self.schema.tables[table].by_name[column].option_set if table else self.schema.option_sets[column]
        options = found.options if found else ()
        return self.choice(options).value

    def memo(self, sentences: int) -> str:
        text = "\r\n".join(self.choice(words.SENTENCES) for _ in range(sentences))
        return text[:1800]

    def money(self, digits: int) -> str:
        return f"{self.random.randrange(10 ** (digits + 2)) / 100:.2f}"

    def phone(self) -> str:
        return f"+{self.random.randrange(1, 99)} {self.random.randrange(100, 999)} {self.random.randrange(1000, 9999)}"

    def day(self, most: int) -> str:
        return (self.clock + timedelta(days=self.random.randrange(most))).strftime("%Y-%m-%d")

    def code(self) -> str:
        return "".join(self.random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=6))

    def new_id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def maybe(self, likely: float, value: T) -> T | None:
        return value if self.random.random() < likely else None

    def choice(self, items: Sequence[T]) -> T:
        return items[self.random.randrange(len(items))]

    @staticmethod
    def moment(found: datetime) -> str:
        return found.strftime("%Y-%m-%dT%H:%M:%SZ")


def in_base_currency(amount: Decimal, rate: Decimal) -> Decimal:
    """Dataverse keeps four places of an amount in the base currency."""
    return (amount / rate).quantize(Decimal("0.0001"), ROUND_HALF_EVEN)
