"""What help says that is no command and no key: variables, files, and how errors read."""

VARIABLES = {
    "SETUP_KIT_ENVIRONMENT": "The environment, or the pattern, that a command works on where -e is not given.",
    "SETUP_KIT_SANDBOX": "The sandbox that cloud: sandbox means: its folder, or sandbox.json in it.",
    "SETUP_KIT_SQL_ADMIN_PASSWORD": "Password of the SQL administrator, where that is a login. Never stored.",
    "SETUP_KIT_INPUT_NAME": "A secret input of a runbook, NAME being the input's.",
    "AZURE_CLIENT_ID": "Sign in as this application; az login's account is used where it is not set.",
    "AZURE_TENANT_ID": "Its tenant, for tools beside the kit, which takes the one of the environment file.",
    "AZURE_AUTHORITY_HOST": "Where it signs in, for tools beside the kit, which takes the cloud's of the file.",
    "AZURE_CLIENT_SECRET": "Its secret, or one of the two that follow.",
    "AZURE_CLIENT_CERTIFICATE_PATH": "Its certificate with the private key, as PEM or PKCS 12.",
    "AZURE_FEDERATED_TOKEN_FILE": "A token that the application trusts (workload identity): no secret is needed.",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "Set by GitHub: the application AZURE_CLIENT_ID signs in with the job's own token.",
    "REQUESTS_CA_BUNDLE": "Certificates to trust, where a proxy or the sandbox has its own authority.",
    "HTTPS_PROXY": "A proxy for HTTPS. SQL Server is spoken to directly, on port 1433.",
    "NO_COLOR": "Set to anything: no colours and no bold. --no-color does the same.",
    "COLUMNS": "How wide lines are that go to no terminal; they are not wrapped where it is not set.",
}

FILES = {
    "environments/NAME.yaml": "The environment file of -e NAME. Belongs into version control; holds no secret.",
    ".setup-kit/NAME/journal.jsonl": "What the kit did there: one line of JSON an event, readable by you alone.",
    ".setup-kit/runs/": "The record of each run of a runbook, as JSON and as Markdown for a change ticket.",
    ".setup-kit/sandbox/": "The sandbox, where --dir names no other folder: its certificates, state and log.",
}
FILES_NOTE = (
    "All lie below the folder that you work in, on Linux, macOS and Windows alike; nothing is kept in your home "
    "folder. Keep .setup-kit out of version control. Losing it loses the record alone: the cloud is the state."
)

ERRORS = """\
Every failure is said in the same form:

  error: what happened, on what
    why, where it is known
    → the next step: a command, or a setting
    a page to read on
    the service's own words, whole

With --output json it is one document on standard output, {"error": {"what",
"why", "remedy", "link", "original", "exit_code"}}; a failed run's document has
a list "failures" of the same, each with its "resource".

What is transient (a throttled call, a broken connection, a database that is
waking up) is tried again for some minutes before it is called a failure. What
depends on the failed part is not reached; all else is finished. Running the
same command again goes on where it stopped.

An environment file with errors is refused before anything is sent, with all of
them at once, each with its line and key.

More is said with -v: what every check found, and the kit's log."""
