"""What carries words between host and bench, and the host's end of the conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hw.bench.protocol import Opcode
from sim.bench.words import Answer, BenchError, answer, command

__all__ = ["Host", "Link"]

_TAGS = 255


class Link(Protocol):
    """A transport. On one whose other end has no time of its own the coroutine never suspends."""

    async def exchange(self, words: Sequence[int], messages: int) -> list[list[int]]:
        """Send words, and return the next ``messages`` messages of the bench, whole.

        More than asked for may be returned.
        """


class Host:
    """Sends commands and finds the answers that belong to them.

    Commands that need no answer are kept until one does (a list), so an exit of the guest costs few round
    trips. Tag 0 is theirs: an answer with it is an error that nobody waits for.

    Parameters
    ----------
    link : Link
        The transport.
    """

    def __init__(self, link: Link):
        self._link = link
        self._kept: list[int] = []
        self._tag = 0
        #: Round trips so far.
        self.trips = 0

    def post(self, opcode: Opcode, pe: int, words: Sequence[int] = ()) -> None:
        """Send a command with the next one that is answered."""
        self._kept += command(opcode, pe, words, quiet=True)

    async def ask(self, opcode: Opcode, pe: int, words: Sequence[int] = ()) -> list[int]:
        """Send a command and return the words of its answer.

        Raises
        ------
        BenchError
            When it, or one that was posted, is refused.
        """
        (words,) = await self.ask_all(pe, [(opcode, words)])
        return words

    async def ask_all(self, pe: int, commands: Sequence[tuple[Opcode, Sequence[int]]]) -> list[list[int]]:
        """Send commands as one list and return the words of each answer; see :meth:`ask`."""
        sent, self._kept = self._kept, []
        tags = []
        for opcode, words in commands:
            self._tag = self._tag % _TAGS + 1
            tags.append(self._tag)
            sent += command(opcode, pe, words, self._tag)
        found: dict[int, Answer] = {}
        self.trips += 1
        while len(found) < len(tags):
            for message in await self._link.exchange(sent, len(tags) - len(found)):
                one = answer(message).check()
                if one.tag not in tags:
                    raise BenchError(f"the bench answers {one} to a command that asked for no answer")
                found[one.tag] = one
            sent = []
        return [found[tag].words for tag in tags]
