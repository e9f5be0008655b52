"""The characters that XML can hold. Pure."""

from __future__ import annotations


def is_legal(character: str) -> bool:
    """Whether a document may hold it, by the production `Char` of XML 1.0."""
    return (
        "\x20" <= character <= "\ud7ff"
        or character in "\t\n\r"
        or "\ue000" <= character <= "\ufffd"
        or character >= "\U00010000"
    )


def is_control(character: str) -> bool:
    """Whether it is a control character of ASCII or Latin-1, line breaks included."""
    return character < "\x20" or "\x7f" <= character <= "\x9f"
