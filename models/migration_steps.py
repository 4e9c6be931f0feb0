"""Short words for the migration steps that Tortoise cannot write itself; each can go back."""

from __future__ import annotations

from dataclasses import dataclass

from tortoise.migrations.operations import RunSQL


@dataclass(frozen=True, slots=True)
class Step:
    forward: str
    backward: str


def in_one_operation(*steps: Step) -> RunSQL:
    """Run the steps in order, and back in reverse. Together: Tortoise copies its whole state for each operation."""
    return RunSQL([step.forward for step in steps], [step.backward for step in reversed(steps)])


def constraint(table: str, name: str, definition: str) -> Step:
    return Step(
        f'ALTER TABLE "{table}" ADD CONSTRAINT {name} {definition}',
        f'ALTER TABLE "{table}" DROP CONSTRAINT {name}',
    )


def check(table: str, name: str, condition: str) -> Step:
    return constraint(table, f"{table}_{name}", f"CHECK ({condition})")


def known_values(table: str, column: str, *values: str) -> Step:
    """A CHECK beside the enum: Tortoise makes enum columns plain text."""
    listed = ", ".join(f"'{value}'" for value in values)
    return check(table, f"{column}_known", f'"{column}" IN ({listed})')


def unique_index(table: str, name: str, definition: str) -> Step:
    return Step(f'CREATE UNIQUE INDEX {table}_{name} ON "{table}" {definition}', f"DROP INDEX {table}_{name}")


def index(table: str, name: str, definition: str) -> Step:
    return Step(f'CREATE INDEX {table}_{name} ON "{table}" {definition}', f"DROP INDEX {table}_{name}")
