"""Stands for Microsoft's sqlcmd, which no package index carries: its options that the runbooks use, on a real wire.

Reads batches that end with GO from standard input; signs in as -U with the password in SQLCMDPASSWORD, or with -G as
the service principal of the AZURE_ variables; trusts the sandbox's certificate.
"""

from __future__ import annotations

import argparse
import os
import re
import sys

from setup_kit.clouds import sandbox_cloud
from setup_kit.errors import KitError
from setup_kit.identity import Identity
from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import SqlAddress, connect

parser = argparse.ArgumentParser(add_help=False)
parser.add_argument("-S", dest="server", required=True)
parser.add_argument("-d", dest="database", required=True)
parser.add_argument("-U", dest="user", default="")
parser.add_argument("-G", dest="entra", action="store_true")
parser.add_argument("-h", dest="headers", default="0")
parser.add_argument("-b", dest="stop", action="store_true")
parser.add_argument("-W", dest="trim", action="store_true")


def main() -> None:
    options = parser.parse_args()
    cloud = sandbox_cloud()
    address = SqlAddress.parse(options.server)
    if options.entra:
        token = Identity(cloud, os.environ["AZURE_TENANT_ID"]).token(cloud.sql_audience)
        connection = connect(address, options.database, access_token=token, certificate=cloud.sql_certificate)
    else:
        password = Secret(os.environ["SQLCMDPASSWORD"])
        connection = connect(
            address, options.database, user=options.user, password=password, certificate=cloud.sql_certificate
        )
    for batch in re.split(r"(?im)^GO\s*$", sys.stdin.read()):
        if not batch.strip():
            continue
        cursor = connection.execute(batch)
        while True:
            if cursor.description:
                for row in cursor.fetchall():
                    sys.stdout.write(" ".join("NULL" if value is None else str(value) for value in row) + "\n")
            if not cursor.nextset():
                break


if __name__ == "__main__":
    try:
        main()
    except KitError as error:
        sys.exit(f"{error.what} {error.original}")
