"""Write the reference pages: one for each package, one for the command line.

The pages name what there is, and mkdocstrings fills them from the docstrings, so a new
module appears in the reference without anybody listing it.
"""

import pkgutil
import shutil
from pathlib import Path

import click

import trimtab
from trimtab.apps.cli import main

FOLDER = Path(__file__).parent / "reference" / "generated"
PACKAGES = ("domain", "rules", "adapters", "lab", "apps")


def write_reference() -> list[Path]:
    """The pages written, in reading order."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    pages = [FOLDER / "command-line.md"]
    pages[0].write_text(command_line_page(), encoding="utf-8")
    for package in PACKAGES:
        modules = modules_of(f"{trimtab.__name__}.{package}")
        if modules:
            page = FOLDER / f"{package}.md"
            page.write_text(package_page(package, modules), encoding="utf-8")
            pages.append(page)
    return pages


def package_page(package: str, modules: list[str]) -> str:
    """A page that asks for the docstrings of *modules*."""
    return "\n\n".join([f"# trimtab.{package}", *(f"::: {module}" for module in modules)]) + "\n"


def modules_of(package: str) -> list[str]:
    """Dotted names of *package* and all that it holds, in alphabetical order; nothing imported."""
    folder = Path(trimtab.__path__[0]).joinpath(*package.split(".")[1:])
    if not (folder / "__init__.py").exists():
        return []
    found = [package]
    for module in sorted(pkgutil.iter_modules([str(folder)]), key=lambda module: module.name):
        name = f"{package}.{module.name}"
        if module.name != "__main__":
            found += modules_of(name) if module.ispkg else [name]
    return found


def command_line_page() -> str:
    """What `--help` says for the program and each of its commands."""
    sections = ["# The command line"]
    sections += [
        f"## {context.command_path}\n\n```text\n{context.get_help()}\n```"
        for context in contexts_of(main, None, "trimtab")
    ]
    return "\n\n".join(sections) + "\n"


def contexts_of(
    command: click.Command, parent: click.Context | None, name: str
) -> list[click.Context]:
    """A context for *command* and, in order, for every command below it that is not hidden."""
    context = click.Context(command, info_name=name, parent=parent, max_content_width=88)
    found = [context]
    if isinstance(command, click.Group):
        for child_name in command.list_commands(context):
            child = command.get_command(context, child_name)
            if child is not None and not child.hidden:
                found += contexts_of(child, context, child_name)
    return found


if __name__ == "__main__":
    for written in write_reference():
        print(f"wrote {written.relative_to(FOLDER.parents[2])}")
