"""The Bitwuzla library as the program that Yosys' smtbmc talks to: SMT-LIB 2 in on standard input.

The wheel carries the solver without its executable. Run as ``python -m tb.formal.bitwuzla_pipe``.
"""

from __future__ import annotations

import ctypes
import sys

__all__ = ["main"]

#: Statements that are answered.
_ANSWERED = ("(check-sat", "(get-value", "(get-model", "(echo")


def main() -> None:
    """Answer statements until (exit) or the end of input."""
    if "--help" in sys.argv:
        print("--lang smt2: what smtbmc looks for")
        return
    import bitwuzla

    options = bitwuzla.Options()
    options.set(bitwuzla.Option.PRODUCE_MODELS, True)
    parser = bitwuzla.Parser(bitwuzla.TermManager(), options)
    flush = ctypes.CDLL(None).fflush
    held: list[str] = []
    for line in sys.stdin:
        held.append(line)
        if not line.startswith((*_ANSWERED, "(exit")):
            continue
        text = "".join(held)
        held.clear()
        if line.startswith("(exit"):
            break
        try:
            parser.parse(text, False, False)
        except bitwuzla.BitwuzlaException as error:
            print(f'(error "{error}")', flush=True)
        flush(None)


if __name__ == "__main__":
    main()
