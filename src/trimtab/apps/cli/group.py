"""A click group that imports a command when it is used, and ends every error at the door."""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import click

from trimtab.apps.cli.door import exit_status_of, leave_pipe


class Entry(NamedTuple):
    """A command that is not imported yet: where it is, and its line in the list."""

    module: str
    summary: str
    name: str = "command"


class Program(click.Group):
    """The whole program. Listing its commands imports none of them."""

    def __init__(self, *arguments: Any, entries: Mapping[str, Entry], **options: Any) -> None:  # noqa: ANN401  click's own
        super().__init__(*arguments, **options)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Names in the order in which somebody needs them."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  as above
        """The command, imported now."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        found = getattr(import_module(entry.module), entry.name)
        assert isinstance(found, click.Command), f"{entry.module} holds a command"
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with near misses among the commands that are not imported."""
        if args[0] not in self.entries and not args[0].startswith("-"):
            raise click.NoSuchCommand(args[0], possibilities=self.entries, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  as above
        """The list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self.entries.items()])

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  click's own
        """Run the command; click would end a broken pipe with the status of an error."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            return leave_pipe()

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,  # noqa: ANN401  click's own
    ) -> Any:  # noqa: ANN401  as above
        """Run the program and exit with its status."""

        def call() -> object:
            return super(Program, self).main(
                args,
                prog_name or "trimtab",
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )

        if not standalone_mode:
            return call()
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # a name that this terminal cannot write
        sys.exit(exit_status_of(call, sys.argv[1:] if args is None else args))
