"""The link between a physical CPU interface and the distributor.

Upstream goes a record for each event, with valid and ready; downstream the distributor shows the interrupt
it offers. The record stands for the commands of the GIC Stream Protocol (spec 7.5), whose packets are not
published: whoever has them packs them in :mod:`hw.link_adapter`, the only module between the two sides.
"""

from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.config_physical import MAX_PES

__all__ = ["INTID_BITS", "Command", "LinkSignature", "Message", "Offer"]

#: Bits of a physical INTID: the distributor has at most 992 of them.
INTID_BITS = 10


class Command(enum.Enum, shape=2):
    """What a message tells the distributor."""

    #: The offered interrupt was acknowledged (DIST-18).
    ACTIVATE = 0
    #: An interrupt was deactivated (DIST-19, DIST-20).
    DEACTIVATE = 1
    #: SGIs are to be made pending (DIST-21).
    GENERATE_SGI = 2


class Message(data.Struct):
    """One message.

    ``group``, ``targets`` (bit t is PE t) and ``others`` (all PEs but the sender, instead of ``targets``)
    belong to GENERATE_SGI. ``source`` belongs to an ACTIVATE of a GICv2's SGI (DIST-26).
    """

    command: Command
    intid: INTID_BITS
    group: 1
    targets: MAX_PES
    others: 1
    source: 3


class Offer(data.Struct):
    """The highest-priority interrupt that a PE could take (DIST-11, DIST-12); 0 in all fields if none.

    ``source``: the lowest pending source of a GICv2's SGI (DIST-26), 0 of all others.
    """

    valid: 1
    group: 1
    intid: INTID_BITS
    priority: 8
    source: 3


class LinkSignature(wiring.Signature):
    """The link from the CPU interface's side.

    Members
    -------
    message : Out(stream.Signature(Message))
        Taken in a cycle with ``valid`` and ``ready``, and done by then.
    accepted : In(1)
        In the cycle in which an ACTIVATE is taken: the interrupt was still on offer and is active now.
        Else nothing happened.
    enable : Out(2)
        ICC_IGRPEN0_EL1 and ICC_IGRPEN1_EL1.
    offer : In(Offer)
        Moves at once and then stands for at least eight cycles.
    current : In(1)
        ``offer`` shows everything this PE did before. High for at least one cycle after every selection.
    """

    def __init__(self):
        super().__init__({
            "message": Out(stream.Signature(Message)),
            "accepted": In(1),
            "enable": Out(2),
            "offer": In(Offer),
            "current": In(1),
        })  # fmt: skip

    def __eq__(self, other):
        return type(self) is type(other)

    def __repr__(self):
        return "LinkSignature()"
