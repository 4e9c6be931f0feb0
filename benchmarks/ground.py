"""The ground that is measured on: engines, databases of their own, the settings and the token of a deployment."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg

from benchmarks.processes import TOKEN_KEY, environ_of
from benchmarks.seed import EMPLOYER_SUBJECT, Size, seed
from benchmarks.work import WORKS
from demo.engines import Engines
from models.database import DatabaseConfig, connection_parameters
from models.encryption import KeyRing
from models.migrate import migrate
from services.tokens import issue_development_token

ISSUER, AUDIENCE = "traverse-development", "traverse"
SizeName = Literal["large", "small"]

_TOKEN_LIFETIME = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Pages:
    """A database with the rows that people's pages show, and an employer's token for it."""

    url: str
    token: str
    organizations: dict[str, UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """`large`, `small`: sizes of the two databases that pages are read from. `say`: tells what takes long."""

    engines: Engines
    folder: Path
    large: Size
    small: Size
    say: Callable[[str], None]
    keys: KeyRing = field(repr=False)
    _pages: dict[Size, Pages] = field(default_factory=dict[Size, Pages])
    _created: list[str] = field(default_factory=list[str])

    async def pages(self, size: Size) -> Pages:
        """The database of that size, seeded the first time that somebody asks for it."""
        if size not in self._pages:
            self.say(f"seeding {size.job_seekers:,} job seekers and {size.applications:,} applications …")
            config = await self.empty_database(f"pages_{size.job_seekers}")
            organizations = await seed(config.url, size)
            self._pages[size] = Pages(
                config.url, self.token(EMPLOYER_SUBJECT, organizations[EMPLOYER_SUBJECT]), organizations
            )
        return self._pages[size]

    async def empty_database(self, name: str) -> DatabaseConfig:
        """A migrated database without rows; one of that name that was there before is gone."""
        unique = f"traverse_bench_{os.getpid()}_{name}"
        async with self._admin() as admin:
            await admin.execute(f'DROP DATABASE IF EXISTS "{unique}" WITH (FORCE)')
            await admin.execute(f'CREATE DATABASE "{unique}" TEMPLATE template0')
        self._created.append(unique)
        url = urlunsplit(urlsplit(self.engines.database_url)._replace(path=f"/{unique}"))
        config = DatabaseConfig(url=url, keys=self.keys)
        await migrate(config)
        return config

    async def clear(self) -> None:
        """Drop what was created: the server may be somebody's own."""
        async with self._admin() as admin:
            for name in self._created:
                await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def environ(self, database_url: str, **settings: str) -> dict[str, str]:
        return environ_of(database_url=database_url, redis_url=self.engines.redis_url, keys=self.keys, **settings)

    def tokens(self, pages: Pages) -> dict[str, str]:
        """By subject, of everybody who asks for a page."""
        return {
            work.subject: self.token(work.subject, pages.organizations.get(work.subject)) for work in WORKS.values()
        }

    def token(self, subject: str, organization_id: UUID | None) -> str:
        return issue_development_token(
            subject=subject,
            organization_id=organization_id,
            issuer=ISSUER,
            audience=AUDIENCE,
            key=TOKEN_KEY,
            lifetime=_TOKEN_LIFETIME,
            now=datetime.now(UTC),
        )

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    @asynccontextmanager
    async def _admin(self) -> AsyncGenerator[Any, None]:
        connection = cast("Any", await asyncpg.connect(**connection_parameters(self.engines.database_url)))
        try:
            yield connection
        finally:
            await connection.close()
