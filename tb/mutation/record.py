"""What a campaign has found so far, in a file, so that one that is cut goes on where it was.

The first line says what the campaign is; each other line is one answer, as JSON.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from hw.errors import InputError
from tb.mutation.equivalence import Equivalence

__all__ = ["Record"]


class Record:
    """Answers by number of the mutant: where each check has noticed it, and what it was proven to be.

    Parameters
    ----------
    path : Path or None
        The file; it is begun anew unless it is one of the same campaign. None keeps answers in memory only.
    campaign : str
        What decides all answers.

    Raises
    ------
    InputError
        When the file is something else; it is left as it is.
    """

    def __init__(self, path: Path | None, campaign: str):
        self._path = path
        self.noticed: dict[int, dict[str, str]] = {}
        self.judged: dict[int, Equivalence] = {}
        if path is None:
            return
        text = path.read_text(errors="replace") if path.is_file() else ""
        head = json.dumps({"campaign": campaign}) + "\n"
        if text and not text.startswith('{"campaign": '):
            raise InputError(f"{path}: not a record of mutants; name another file (--record)")
        # A line that was cut has no end.
        lines = [line for line in text.splitlines(True) if line.endswith("\n")]
        if not lines or lines[0] != head:
            lines = [head]
        for number, line in enumerate(lines[1:], 2):
            try:
                self._read(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                remedy = "remove the line, or name another file (--record)"
                raise InputError(f"{path}:{number}: not an answer about a mutant; {remedy}") from error
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(lines))

    def _read(self, answer: dict) -> None:
        """Take an answer of the file."""
        if "noticed" in answer:
            self.noticed[answer["number"]] = answer["noticed"]
        else:
            self.judged[answer["number"]] = Equivalence(**answer["judged"])

    def notice(self, number: int, noticed: dict[str, str]) -> None:
        """Keep which checks notice a mutant."""
        self.noticed[number] = noticed
        self._write({"number": number, "noticed": noticed})

    def judge(self, number: int, equivalence: Equivalence) -> None:
        """Keep what a mutant was proven to be."""
        self.judged[number] = equivalence
        self._write({"number": number, "judged": asdict(equivalence)})

    def _write(self, answer: dict) -> None:
        if self._path is not None:
            with self._path.open("a") as file:
                file.write(json.dumps(answer) + "\n")
