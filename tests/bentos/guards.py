"""Guards, and what asks them."""

import asyncio
from contextlib import asynccontextmanager

from bentos.guard import Guard

HOME = "192.0.2.1"


@asynccontextmanager
async def guarding(settings):
    guard = Guard(settings)
    try:
        yield guard
    finally:
        await guard.aclose()


def ask(settings, *requests):
    """The answers to requests, each `(headers, model, action)`."""

    async def answers():
        async with guarding(settings) as guard:
            return [await guard.admit(headers, HOME, model, action) for headers, model, action in requests]

    return asyncio.run(answers())


def by_key(text):
    return {b"x-api-key": text.encode()}
