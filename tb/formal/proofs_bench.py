"""Proofs of the bench: guest engine and mailbox."""

from __future__ import annotations

from hw.config import GicConfig
from tb.formal.bench import EngineSpec, SenderSpec, SwitchSpec
from tb.formal.bugs import Bug
from tb.formal.proof import Proof

__all__ = ["BENCH"]

_ONE = GicConfig(lrs=1)
_SENDER, _SWITCH = "hw.bench.sender:Sender.elaborate", "hw.bench.access:AccessSwitch.elaborate"
_ENGINE = "hw.bench.engine:GuestEngine"

BENCH: tuple[Proof, ...] = (
    Proof(
        "bench-sender",
        "Each answer of the mailbox leaves as its header and exactly as many words as it says, once each,"
        " in order.",
        "docs/mailbox.md", SenderSpec, _ONE, 4, fast=True,
        bugs=(
            Bug("a word is lost on a slow host", _SENDER, "~self.hold & (~answers.valid | answers.ready)",
                "~self.hold & (~answers.valid | answers.ready | first)"),
            Bug("the last word is left out", _SENDER, "left != 0, left != 1), sends",
                "left != 0, left > 2), sends"),
            Bug("an empty answer is offered for ever", _SENDER, "m.d.sync += answers.valid.eq(0)",
                "m.d.sync += answers.valid.eq(header.length == 0)"),
        ),
    ),
    Proof(
        "bench-switch",
        "Requests of guest and host reach the interface whole and once; a deactivation is kept until it"
        " is told.",
        "docs/mailbox.md", SwitchSpec, _ONE, 4,
        bugs=(
            Bug("a second deactivation overwrites the first", _SWITCH,
                "deactivate.ready.eq(~self.deactivated)", "deactivate.ready.eq(1)"),
            Bug("a stopped guest has the port", _SWITCH, "(self.guest, self.running)", "(self.guest, 1)"),
        ),
    ),
    Proof(
        "bench-engine",
        "The guest engine makes one report for each RESUME; each response goes to guest or host, whose"
        " request it was; no record is written without room in the log. The interface answers as late as"
        " it likes.",
        "docs/mailbox.md", EngineSpec, _ONE, 6,
        bugs=(
            Bug("the host sees the guest's responses", f"{_ENGINE}._access",
                "self.cpu.response.valid & ~self._running", "self.cpu.response.valid"),
            Bug("a full log stops only at operations", f"{_ENGINE}._watches", "(self._log.full, Cause.LOG)",
                "(self._boundary & self._log.full, Cause.LOG)"),
            Bug("a report is made again while an operation waits", f"{_ENGINE}._finish",
                "with m.If(host.report.valid & host.report.ready)",
                "with m.If(host.report.valid & host.report.ready & ~self._waiting)"),
        ),
    ),
)  # fmt: skip
