"""Small pieces of the sentences that importers say."""


def counted(number: int, noun: str) -> str:
    """*number* with its *noun*, in the plural where it is not one.

    Examples:
        >>> counted(1, "trade"), counted(3, "trade")
        ('1 trade', '3 trades')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"
