"""What carries words between host and bench, and the host's end of the conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hw.bench.protocol import Opcode
from sim.bench.words import BenchError, answer, command

__all__ = ["Host", "Link"]

_TAGS = 254
#: Tag of the commands whose answers nobody waits for.
_DROPPED = 255


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
        self._dropped = 0
        self._tag = 0
        #: Round trips so far.
        self.trips = 0

    def post(self, opcode: Opcode, pe: int, words: Sequence[int] = ()) -> None:
        """Send a command with the next one that is answered."""
        self._kept += command(opcode, pe, words, quiet=True)

    def drop(self, opcode: Opcode, pe: int, words: Sequence[int] = ()) -> None:
        """Send a command with the next one that is answered; only that it was executed is looked at."""
        self._kept += command(opcode, pe, words, _DROPPED)
        self._dropped += 1

    async def ask(self, opcode: Opcode, pe: int, words: Sequence[int] = ()) -> list[int]:
        """Send a command and return the words of its answer.

        Raises
        ------
        BenchError
            When it, or one that was posted, is refused.
        """
        self._tag = tag = self._tag % _TAGS + 1
        sent, missing = self._kept, 1 + self._dropped
        sent += command(opcode, pe, words, tag)
        self._kept, self._dropped = [], 0
        self.trips += 1
        found = None
        while found is None:
            for message in await self._link.exchange(sent, missing):
                missing -= 1
                one = answer(message).check()
                if one.tag == tag:
                    found = one
                elif one.tag != _DROPPED or (one.opcode == Opcode.ACCESS and one.words[0]):
                    raise BenchError(f"the bench answers {one} to a command that asked for no answer")
            sent = []
        return found.words
