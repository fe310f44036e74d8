"""The CPU port in gateware: one PE's view of its CPU interface.

A system-register access goes in on ``request`` and its answer comes out on ``response`` exactly
:data:`hw.interface.LATENCY` cycles later; one access is in flight at a time. The Python form of the same
contract is :mod:`sim.port`.
"""

from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.config import GicConfig

__all__ = [
    "CpuPortSignature",
    "Deactivation",
    "Outcome",
    "PeContext",
    "Request",
    "Response",
    "observe_layout",
]


class Outcome(enum.Enum, shape=2):
    """What became of an access. Only OK executes it; the others change nothing (TRP-5)."""

    #: The access was executed.
    OK = 0
    #: UNDEFINED at the level that made it.
    UNDEF = 1
    #: Trapped to EL1 (ICC_SRE_EL1.SRE is 0).
    TRAP_EL1 = 2
    #: Trapped to EL2.
    TRAP_EL2 = 3


class PeContext(data.Struct):
    """Effective PE state that decides where an access goes; see :class:`sim.port.PeContext`."""

    imo: 1
    fmo: 1
    nv: 1
    sre_el1: 1
    sre_el2: 1
    hfgrtr_igrpen: 1
    hfgwtr_igrpen: 1


class Request(data.Struct):
    """One MRS or MSR: ``encoding`` as :func:`hw.registers.sys_reg` packs it, ``rt`` for the syndrome."""

    encoding: 16
    write: 1
    el: 2
    rt: 5
    context: PeContext
    value: 64


class Response(data.Struct):
    """Answer: ``value`` of an executed read (else 0), ``esr`` of a fault (else 0)."""

    outcome: Outcome
    value: 64
    esr: 32


class Deactivation(data.Struct):
    """A physical interrupt to deactivate because a HW list register was (HW-1)."""

    pintid: 13


def observe_layout(config: GicConfig) -> data.StructLayout:
    """Return the layout of the ``observe`` probe: all storage, as ICH_* reads would return it.

    Each register is as wide as it reads (32 or 64 bits), so a testbench needs no knowledge of the
    implementation filters. For testbenches and formal only; synthesis removes it when unconnected.
    """
    return data.StructLayout({
        "hcr": 32,
        "vmcr": 32,
        "misr": 8,
        "eisr": 16,
        "elrsr": 16,
        # Members of their own, not arrays: a dump would name those with brackets.
        **{f"ap0r{n}": 32 for n in range(config.apr_words)},
        **{f"ap1r{n}": 32 for n in range(config.apr_words)},
        **{f"lr{n}": 64 for n in range(config.lrs)},
    })  # fmt: skip


class CpuPortSignature(wiring.Signature):
    """One PE's view of its CPU interface, from the PE's (the initiator's) side.

    Members
    -------
    request : Out(stream.Signature(Request))
        An access; taken in a cycle with ``valid`` and ``ready``. Present it only at commit: a read
        may be destructive (IAR-8).
    response : In(Signature: valid, payload)
        ``valid`` for one cycle, a constant number of cycles after the request was taken. It cannot be
        held off, so it has no ``ready``.
    virq, vfiq, maintenance : In(1)
        Level outputs, registered.
    settled : In(1)
        No access is in flight and the lines reflect all storage.
    deactivate : In(stream.Signature(Deactivation))
        Physical deactivation requests. While one waits no further request is taken.
    observe : In(observe_layout(config))
        All storage, for testbenches.
    """

    def __init__(self, config: GicConfig):
        self.config = config
        super().__init__({
            "request": Out(stream.Signature(Request)),
            "response": In(wiring.Signature({"valid": Out(1), "payload": Out(Response)})),
            "virq": In(1),
            "vfiq": In(1),
            "maintenance": In(1),
            "settled": In(1),
            "deactivate": In(stream.Signature(Deactivation)),
            "observe": In(observe_layout(config)),
        })  # fmt: skip

    def __eq__(self, other):
        return type(self) is type(other) and self.config == other.config

    def __repr__(self):
        return f"CpuPortSignature({self.config!r})"
