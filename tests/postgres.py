"""A throwaway PostgreSQL server: its own data directory, reached by a socket there, gone when the tests end."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psutil
import sqlalchemy as sa

PACKAGED = Path("/usr/lib/postgresql")  # where Debian keeps what is not on the path, a folder per version
MISSING = "the tests need PostgreSQL's initdb and pg_ctl; install the package postgresql"
_FAST = "-c fsync=off -c full_page_writes=off -c max_connections=60"


class Server:
    """Where the server's socket is, and a new database for whoever asks; ``durable`` waits for the disk as one in
    production does."""

    def __init__(self, folder: Path, durable: bool = False) -> None:
        self.folder = folder
        self._options = f"-k {folder} -c listen_addresses='' {'' if durable else _FAST}"
        self._numbers = count()

    def start(self) -> None:
        """Starts it, with all its databases."""
        _run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-l", f"{self.folder}/log", "-o", self._options, "start")

    def stop(self) -> None:
        """Ends it without a farewell."""
        _run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "stop")

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """It keeps its connections, takes more and answers nothing."""
        postmaster = psutil.Process(int((self.folder / "data" / "postmaster.pid").read_text().split()[0]))
        processes = [postmaster, *postmaster.children(recursive=True)]
        for one in processes:
            one.suspend()
        try:
            yield
        finally:
            for one in processes:
                one.resume()

    def new_database(self) -> str:
        """The SQL URL of an empty database."""
        name = f"test{next(self._numbers)}"
        engine = sa.create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        return self._url(name)

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"


@contextmanager
def running_server(durable: bool = False) -> Iterator[Server]:
    """A server that runs."""
    folder = Path(tempfile.mkdtemp(prefix="creatormatch-pg-", dir="/tmp"))  # short: a socket's path has 107 bytes
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    try:
        _run("initdb", "-D", f"{folder}/data", "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8")
        server = Server(folder, durable)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _run(program: str, *arguments: str) -> None:
    command = [*_as_somebody(), str(_found(program)), *arguments]
    # Not a pipe: the server that pg_ctl starts would keep it open.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(command, stdout=output, stderr=output, check=False, cwd="/")
        output.seek(0)
        assert done.returncode == 0, output.read().decode()


def _as_somebody() -> Sequence[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return ()
    user = pwd.getpwnam("postgres")
    return ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")


def _found(program: str) -> Path:
    packaged = sorted(PACKAGED.glob(f"*/bin/{program}"))
    found = shutil.which(program) or (packaged[-1] if packaged else None)
    assert found, MISSING
    return Path(found)
