"""Reads each expression of DynamoDB once.

The emulator reads a condition or filter anew for every item that it is applied
to. The product has a dozen expressions, and a query of the registry puts one of
them to hundreds of items.
"""

import functools

from ministack.services import dynamodb

MOST_EXPRESSIONS = 256  # that are remembered


def install():
    """Caches what depends only on the text of an expression."""
    dynamodb._tokenize = remembering(dynamodb._tokenize, list)
    dynamodb._condition_syntax_error = remembering(dynamodb._condition_syntax_error)


def remembering(function, copied=lambda answer: answer):
    """A function that remembers its answers and gives a copy of them; errors are made anew."""
    known = functools.lru_cache(MOST_EXPRESSIONS)(function)

    @functools.wraps(function)
    def remembered(*args):
        return copied(known(*args))
    return remembered
