"""A private PostgreSQL for the whole run, a fresh migrated database per test."""
import contextlib
import itertools
import os
import pathlib
import subprocess
import tempfile

import psycopg2
import pytest

from harness import environment

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SERVER = SOURCE / "tests/tools/private_postgres"
SQL = SOURCE / "sql"
TOCSINCTL = os.environ.get("TOCSIN_BUILD", str(SOURCE / "build/release")) + "/src/tocsinctl"
numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server():
    if not os.access(TOCSINCTL, os.X_OK):
        pytest.fail(f"no tocsinctl at {TOCSINCTL}: build it, or set TOCSIN_BUILD")
    # nothing of it is to outlive the run
    conninfo = subprocess.check_output(
        [SERVER, "start"], text=True,
        env={**os.environ, "TMPDIR": os.environ.get("TOCSIN_MEMORY_DIR", tempfile.gettempdir()),
             "PRIVATE_POSTGRES_OPTIONS": "-c fsync=off -c autovacuum=off"}).strip()
    directory = subprocess.check_output([SERVER, "dir", conninfo], text=True).strip()
    yield conninfo
    subprocess.run([SERVER, "stop", directory], check=True)


def ctl(*words, conninfo=None):
    """tocsinctl; the finished process with its output."""
    database = ["--database", conninfo] if conninfo else []
    return subprocess.run([TOCSINCTL, *map(str, words), *database],
                          capture_output=True, text=True, timeout=60,
                          env=environment("tocsinctl", *words[:2]))


def named(server, name):
    return server.replace("dbname=postgres", f"dbname={name}")


def create(server, name, template="template1"):
    """A new database; its connection string."""
    connection = psycopg2.connect(server)
    connection.autocommit = True
    connection.cursor().execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    connection.close()
    return named(server, name)


@pytest.fixture
def empty(server):
    """A database with nothing in it."""
    return create(server, f"test_{next(numbers)}")


@pytest.fixture(scope="session")
def migrated(server):
    """The name of a database to copy: migrating takes longer."""
    create(server, "migrated")
    done = ctl("db", "migrate", "--sql", SQL, conninfo=named(server, "migrated"))
    assert done.returncode == 0, done.stderr
    return "migrated"


def changes(conninfo):
    """How far the trail goes: each change of a provisioning row is in it."""
    with psycopg2.connect(conninfo) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*), max(id) FROM tocsin.audit_log")
        trail = cursor.fetchone()
    connection.close()
    return trail


@pytest.fixture(scope="module")
def template(migrated):
    """The name of the database that each test gets a copy of. A file whose tests all
    begin with the same has one of its own: to fill it takes longer."""
    return migrated


@pytest.fixture
def conninfo(server, template):
    return create(server, f"test_{next(numbers)}", template)


@pytest.fixture(scope="module")
def untouched(server, template):
    """One for all the tests of a file that leave it as it is."""
    return create(server, f"untouched_{next(numbers)}", template)


@contextlib.contextmanager
def opened(conninfo):
    """A cursor whose statements are transactions of their own."""
    connection = psycopg2.connect(conninfo)
    connection.autocommit = True
    yield connection.cursor()
    connection.close()


@pytest.fixture
def db(conninfo):
    with opened(conninfo) as cursor:
        yield cursor
