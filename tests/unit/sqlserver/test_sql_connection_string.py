import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_kit.secret import Secret
from setup_kit.sqlserver.connection import (
    ConnectionStringError,
    SqlAddress,
    odbc_value,
    parse_ado_net,
    to_ado_net,
)
from setup_kit.sqlserver.connection_string import odbc_string

# Everything a password, a user or a database may hold: all of Unicode but NUL and lone surrogates.
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=40)
nasty = st.one_of(texts, st.text("{};=\"' \t\n]o", max_size=12))


@given(database=nasty, user=nasty, password=nasty)
def test_any_name_and_password_survive_an_ado_net_string(database: str, user: str, password: str) -> None:
    address = SqlAddress("sql-contoso.database.windows.net")
    read = parse_ado_net(to_ado_net(address, database, user, Secret(password)))
    assert (read.address, read.database, read.user) == (address, database, user)
    assert read.password is not None
    assert read.password.reveal() == password


@given(values=st.lists(nasty, min_size=1, max_size=4))
def test_any_value_survives_an_odbc_string(values: list[str]) -> None:
    text = odbc_string((f"Key{number}", value) for number, value in enumerate(values))
    assert list(read_odbc(text)) == [(f"Key{number}", value) for number, value in enumerate(values)]


def read_odbc(text: str) -> list[tuple[str, str]]:
    """ODBC's own grammar: a braced value ends at the first `}` that is not followed by another."""
    pairs = []
    while text:
        key, _, text = text.partition("={")
        value = ""
        while True:
            part, _, text = text.partition("}")
            value += part
            if not text.startswith("}"):
                break
            value, text = value + "}", text[1:]
        assert text.startswith(";")
        pairs.append((key, value))
        text = text[1:]
    return pairs


def test_nul_is_refused() -> None:
    with pytest.raises(ConnectionStringError, match="NUL"):
        odbc_value("a\x00b")
    with pytest.raises(ConnectionStringError, match="NUL"):
        to_ado_net(SqlAddress("s"), "d", "u", Secret("a\x00b"))


def test_the_string_for_the_service_is_encrypted_and_verified() -> None:
    text = to_ado_net(SqlAddress("s.database.windows.net"), "DES", "exporter", Secret('p"w;')).reveal()
    assert text == (
        "Server=tcp:s.database.windows.net,1433;Initial Catalog=DES;User ID=exporter;Password='p\"w;';"
        "Encrypt=True;TrustServerCertificate=False;Connection Timeout=30;"
    )


@pytest.mark.parametrize("server", ["Server", "data source", "ADDR", "Address", "Network Address"])
@pytest.mark.parametrize("database", ["Database", "initial catalog", "InitialCatalog"])
@pytest.mark.parametrize("user", ["User ID", "UID", "user", "UserID"])
@pytest.mark.parametrize("password", ["Password", "pwd"])
def test_every_documented_synonym_is_read(server: str, database: str, user: str, password: str) -> None:
    read = parse_ado_net(
        Secret(f" {server} = tcp:h,1500 ;{database}=d;{user}=u; {password} = 'p;''q' ;Connect Timeout=5")
    )
    assert (read.address, read.database, read.user) == (SqlAddress("h", 1500), "d", "u")
    assert read.password == Secret("p;'q")
    assert read.options == {"Connect Timeout": "5"}


def test_the_last_of_a_repeated_key_counts() -> None:
    read = parse_ado_net(Secret("Server=a;Server=b;pwd=1;Password=2"))
    assert (read.address.host, read.password) == ("b", Secret("2"))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Server=s;Password='hunter2", "'Password'"),
        ("Server=s;Password='hunter2'x", "'Password'"),
        ("Server=s;Password=a;hunter2=x", "part 3"),
        ("Server=s;Password=a;hunter2", "part 3"),
        ("Password=hunter2", "'Server'"),
        ("Server=np:hunter2;Password=a", "'Server'"),
    ],
)
def test_a_broken_string_is_named_by_key_and_never_by_value(text: str, names: str) -> None:
    with pytest.raises(ConnectionStringError, match=names) as caught:
        parse_ado_net(Secret(text))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("h", "h", 1433),
        ("127.0.0.1,41000", "127.0.0.1", 41000),
        ("tcp:h.x.net,1433", "h.x.net", 1433),
        ("TCP: h", "h", 1433),
    ],
)
def test_an_address_is_read_in_each_of_its_forms(text: str, host: str, port: int) -> None:
    assert SqlAddress.parse(text) == SqlAddress(host, port)


@given(host=st.from_regex(r"[a-z0-9][a-z0-9.-]{0,60}", fullmatch=True), port=st.integers(1, 65535))
def test_an_address_reads_back_what_it_prints(host: str, port: int) -> None:
    assert SqlAddress.parse(str(SqlAddress(host, port))) == SqlAddress(host, port)


@pytest.mark.parametrize(
    "text", ["", ",1433", "h,", "h,0", "h,65536", "h,x", "h\\inst", "np:h", "a b", "h;x=1", "h,1,2", "h,²"]
)
def test_an_address_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ConnectionStringError):
        SqlAddress.parse(text)
