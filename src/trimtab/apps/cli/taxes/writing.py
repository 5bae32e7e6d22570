"""Writes a file whole or not at all."""

from pathlib import Path


def write_new(path: Path, text: str, option: str) -> None:
    """Write *text* whole into a file beside *path*, then put it in place.

    Raises:
        InputError: it cannot be written; *option* is what named the file.
    """
    from trimtab.domain.errors import InputError

    draft = path.with_name(f"{path.name}.partial")
    try:
        draft.write_text(text, encoding="utf-8", newline="")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        msg = f"{path} cannot be written ({error.strerror}): name another file with {option}."
        raise InputError(msg) from error
