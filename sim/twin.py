"""A deviating golden model and a strict one in lockstep: when they part, where and why.

A replay applies each recorded access to a :class:`Twin`. The deviating model must answer as the recording
did. Where the two models differ in nothing, the recording is also what the architecture asks for, and
hardware without switches can be compared with it; where they differ, :attr:`Step.differs` names exactly
the observables to leave out, and :attr:`Step.causes` the deviations to account them to.

Effects may be late: a deviation leaves a bit behind that only a later read shows. The causes of a parting
therefore accumulate until both models agree in everything again.
"""

from __future__ import annotations

from dataclasses import dataclass

from hw.config import GicConfig
from hw.registers import lookup
from sim.deviations import Deviations
from sim.golden import Golden
from sim.port import Access, Lines, Response, State

__all__ = ["Step", "Twin", "restore_accesses"]

_LRS = tuple(lookup(f"ICH_LR{n}_EL2") for n in range(16))
_APRS = tuple(tuple(lookup(f"ICH_AP{group}R{n}_EL2") for n in range(4)) for group in (0, 1))
_HCR, _VMCR = lookup("ICH_HCR_EL2"), lookup("ICH_VMCR_EL2")


@dataclass(frozen=True, slots=True)
class Step:
    """What one access did.

    Attributes
    ----------
    response, state, lines, deactivations
        Of the deviating model, after the access.
    strict_response
        Of the strict model.
    differs : frozenset of str
        Observables that differ between the models after this access: ``response``, ``hcr``, ``vmcr``,
        ``ap0r``, ``ap1r``, ``lr0``.., ``misr``, ``eisr``, ``elrsr``, ``virq``, ``vfiq``, ``maintenance``,
        ``deactivations``. Empty: the architecture and the deviating machine agree.
    causes : frozenset of str
        Report names ("D3") of the deviations behind ``differs``; empty exactly when ``differs`` is.
    """

    response: Response
    state: State
    lines: Lines
    deactivations: list[int]
    strict_response: Response
    differs: frozenset[str]
    causes: frozenset[str]


_NOTHING: frozenset[str] = frozenset()


class Twin:
    """Two golden models of one build that execute the same accesses.

    Parameters
    ----------
    config : GicConfig
        The build.
    deviations : Deviations
        The switches of the deviating one.

    Attributes
    ----------
    deviating, strict : Golden
        The models. Do not access them past the twin, or causes get lost.
    """

    def __init__(self, config: GicConfig, deviations: Deviations) -> None:
        self.config = config
        self.deviating = Golden(config, deviations)
        self.strict = Golden(config)
        self._causes: set[str] = set()

    def reset(self) -> None:
        """Reset both models; they are together again."""
        self.deviating.reset()
        self.strict.reset()
        self._causes.clear()

    def access(self, access: Access) -> Step:
        """Execute one access on both models and compare everything observable."""
        response = self.deviating.access(access)
        strict_response = self.strict.access(access)
        step = self._compare(response, strict_response)
        if not step.differs:
            self._causes.clear()
        return step

    def _compare(self, response: Response, strict_response: Response) -> Step:
        deviating, strict = self.deviating, self.strict
        state, lines, taken = deviating.state(), deviating.lines(), deviating.take_deactivations()
        theirs = strict.state(), strict.lines(), strict.take_deactivations()
        self._causes |= deviating.effects
        if response == strict_response and theirs == (state, lines, taken):
            return Step(response, state, lines, taken, strict_response, _NOTHING, _NOTHING)
        differs = set(_differences(state, theirs[0]))
        differs.update(name for name in Lines._fields if getattr(lines, name) != getattr(theirs[1], name))
        if response != strict_response:
            differs.add("response")
        if taken != theirs[2]:
            differs.add("deactivations")
        causes = frozenset(self._causes)
        return Step(response, state, lines, taken, strict_response, frozenset(differs), causes)

    def resynchronise(self) -> bool:
        """Bring the strict model to the deviating one's state through EL2 writes, as far as it can store it.

        Returns
        -------
        bool
            Whether both are together now; where not (a reserved bit that only the deviating machine
            keeps), the causes stay.
        """
        for access in restore_accesses(self.deviating.state(), self.config):
            self.strict.access(access)
        together = self.strict.state() == self.deviating.state()
        if together and self.strict.lines() == self.deviating.lines():
            self._causes.clear()
            return True
        return False


def restore_accesses(state: State, config: GicConfig) -> list[Access]:
    """Return the EL2 writes that bring any CPU port of this build to ``state``, ICH_HCR_EL2 last."""
    writes = [(_VMCR, state.vmcr)]
    for group, words in enumerate((state.ap0r, state.ap1r)):
        writes += [(_APRS[group][n], words[n]) for n in range(config.apr_words)]
    writes += [(_LRS[n], state.lr[n]) for n in range(config.lrs)]
    writes.append((_HCR, state.hcr))
    return [Access(2, register, True, value) for register, value in writes]


def _differences(one: State, other: State) -> list[str]:
    """Name the parts of two states that differ; list registers one by one."""
    names = ("hcr", "vmcr", "ap0r", "ap1r", "misr", "eisr", "elrsr")
    found = [name for name in names if getattr(one, name) != getattr(other, name)]
    found += [f"lr{n}" for n, pair in enumerate(zip(one.lr, other.lr, strict=True)) if pair[0] != pair[1]]
    return found
