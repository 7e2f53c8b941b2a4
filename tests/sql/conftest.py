"""A private PostgreSQL for the whole run, a fresh migrated database per test."""
import itertools
import os
import pathlib
import subprocess

import psycopg2
import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SERVER = SOURCE / "tests/tools/private_postgres"
SQL = SOURCE / "sql"
TOCSINCTL = os.environ.get("TOCSIN_BUILD", str(SOURCE / "build/release")) + "/src/tocsinctl"
numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server():
    if not os.access(TOCSINCTL, os.X_OK):
        pytest.fail(f"no tocsinctl at {TOCSINCTL}: build it, or set TOCSIN_BUILD")
    conninfo = subprocess.check_output([SERVER, "start"], text=True).strip()
    directory = subprocess.check_output([SERVER, "dir", conninfo], text=True).strip()
    yield conninfo
    subprocess.run([SERVER, "stop", directory], check=True)


def ctl(*words, conninfo=None):
    """tocsinctl; the finished process with its output."""
    database = ["--database", conninfo] if conninfo else []
    return subprocess.run([TOCSINCTL, *map(str, words), *database],
                          capture_output=True, text=True, timeout=60)


@pytest.fixture
def empty(server):
    """A database with nothing in it."""
    name = f"test_{next(numbers)}"
    connection = psycopg2.connect(server)
    connection.autocommit = True
    connection.cursor().execute(f"CREATE DATABASE {name}")
    connection.close()
    return server.replace("dbname=postgres", f"dbname={name}")


@pytest.fixture
def conninfo(empty):
    done = ctl("db", "migrate", "--sql", SQL, conninfo=empty)
    assert done.returncode == 0, done.stderr
    return empty


@pytest.fixture
def db(conninfo):
    connection = psycopg2.connect(conninfo)
    connection.autocommit = True
    yield connection.cursor()
    connection.close()
