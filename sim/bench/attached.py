"""A board at a serial port: what it is, and jobs on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hw.bench.protocol import VERSION, HelloWord, Opcode, members
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from sim.bench.link import Host
from sim.bench.port import BenchPort, Sizes
from sim.bench.uart import LineError, Port, SerialLink
from sim.engines.codec import PortCodec
from sim.port import ESR_UNDEF, Access, Outcome, Response, State, run

__all__ = ["Attached"]

_SIZES = members(HelloWord)


class NarrowPort(BenchPort):
    """A CPU port of a board with more list registers than the hypervisor is to see.

    Those above stay invalid, and an invalid list register takes part in nothing; so what is left to do is to
    take them out of what says how many there are: ICH_VTR_EL2, ICH_ELRSR_EL2 and the probe.

    Parameters
    ----------
    config, host, pe, sizes
        See :class:`sim.bench.port.BenchPort`.
    board : GicConfig
        What the board was made from.
    """

    def __init__(self, config: GicConfig, host: Host, pe: int, sizes: Sizes, board: GicConfig):
        super().__init__(config, host, pe, sizes)
        self._codec = PortCodec(board)
        self._mask = (1 << config.lrs) - 1

    async def access(self, access: Access) -> Response:
        """Execute one system-register access; list registers that are not to be seen are UNDEFINED."""
        if access.el == 2 and not access.register.exists(self.config):
            return Response(Outcome.UNDEF, 0, ESR_UNDEF)
        response = await super().access(access)
        if access.el == 2 and not access.write and response.outcome is Outcome.OK:
            if access.register.name == "ICH_VTR_EL2":
                return response._replace(value=self.config.vtr)
            if access.register.name == "ICH_ELRSR_EL2":
                return response._replace(value=response.value & self._mask)
        return response

    async def state(self) -> State:
        """Return all storage of the list registers that are to be seen."""
        whole, lrs = await super().state(), self.config.lrs
        return replace(whole, lr=whole.lr[:lrs], elrsr=whole.elrsr & self._mask)


class Attached:
    """A board with a bench on it, in a session of its own.

    Parameters
    ----------
    port : Port
        The serial port, open.

    Attributes
    ----------
    config : GicConfig or GicV2Config
        What the board was made from.
    pes : int
        Its PEs.
    link : SerialLink
        The line.

    Raises
    ------
    LineError
        When no board of this version answers.
    """

    def __init__(self, port: Port):
        self.link = SerialLink(port)
        self.link.begin()
        self._host = Host(self.link)
        version, vtr, sizes, program, log = run(self._host.ask(Opcode.HELLO, 0))
        if version != VERSION:
            raise LineError(
                f"the board speaks version {version} of the mailbox, this host {VERSION}; "
                "build its bitstream anew with spillway fpga build"
            )
        told = {name: sizes >> lsb & mask for name, (lsb, mask) in _SIZES.items()}
        self.config = GicV2Config(lrs=told["lrs"]) if told["gicv2"] else GicConfig.from_vtr(vtr)
        self.pes = told["pes"]
        self._sizes = Sizes(program, log)

    def refuses(self, config: GicConfig | GicV2Config, pes: int) -> str:
        """Return why a machine cannot be had on this board, or nothing."""
        board = self.config
        if type(config) is not type(board):
            return f"the board has GICv{3 if isinstance(board, GicConfig) else 2} interfaces only"
        if pes > self.pes:
            return f"needs {pes} CPUs; the board has {self.pes}"
        if config.lrs > board.lrs or (config.lrs < board.lrs and isinstance(config, GicV2Config)):
            return f"needs {config.lrs} list registers; the board has {board.lrs}"
        if isinstance(board, GicConfig) and isinstance(config, GicConfig):
            alike = replace(config, lrs=board.lrs, eoicnt_mode1=board.eoicnt_mode1)
            if alike != board:
                return f"needs an ICH_VTR_EL2 of {config.vtr:#x}; the board's is {board.vtr:#x}"
        return ""

    def run_job(
        self,
        function: Callable[..., Any],
        arguments: dict[str, Any],
        config: GicConfig | GicV2Config,
        pes: int = 1,
    ) -> Any:
        """Run ``await function(ports, **arguments)`` on the board.

        Raises
        ------
        LineError
            When the board cannot be, or has stopped being, what is needed.
        """
        reason = self.refuses(config, pes)
        if reason:
            raise LineError(reason)
        ports = [self._port(config, n) for n in range(pes)]
        return run(function(ports, **arguments))

    def _port(self, config: GicConfig | GicV2Config, pe: int) -> BenchPort:
        if config.lrs == self.config.lrs or isinstance(self.config, GicV2Config):
            return BenchPort(config, self._host, pe, self._sizes)
        return NarrowPort(config, self._host, pe, self._sizes, self.config)
