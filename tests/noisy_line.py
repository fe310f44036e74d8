"""A serial line that is noisy on purpose, and a session over it that notices every command done wrongly."""

import random
from dataclasses import dataclass, field

from hw.bench.instruction import Instruction, Op
from hw.bench.protocol import Opcode, members
from hw.registers import lookup
from sim.bench.board import SimulatedPort
from sim.bench.link import Host
from sim.bench.port import bench_ports
from sim.bench.uart import LineError, SerialLink
from sim.bench.words import access, load, resume
from sim.port import Access, run

_OP = members(Instruction)["op"][0]


class Noise:
    """Changes, drops or doubles bytes.

    Parameters
    ----------
    choices : random.Random
        Where the choices come from.
    rate : float
        Share of the bytes.
    """

    def __init__(self, choices, rate):
        self.choices, self.rate, self.hits = choices, rate, 0

    def __call__(self, data):
        """Return what arrives."""
        out = bytearray()
        for byte in data:
            if self.choices.random() >= self.rate:
                out.append(byte)
                continue
            self.hits += 1
            kind = self.choices.randrange(3)
            if kind == 0:
                out.append(byte ^ self.choices.randrange(1, 256))
            elif kind == 1:
                out += bytes([byte, byte])
        return bytes(out)


class CountingPort(SimulatedPort):
    """Counts the frames of the host."""

    frames = 0

    def write(self, data):
        """Send a frame."""
        self.frames += 1
        return super().write(data)


@dataclass
class Done:
    """What a session has done: ``wrong`` names every command that was not executed exactly once."""

    commands: int = 0
    frames: int = 0
    resent: int = 0
    hits: int = 0
    given_up: int = 0
    wrong: list[str] = field(default_factory=list)


def session(board, config, seed, frames, rate):
    """Have random commands executed until the host has sent so many frames; return what was done.

    List registers are written and read, and a guest makes random numbers of pauses, which the engine counts:
    a command that is lost, done twice, changed or done out of turn shows in what is read later.
    """
    choices, done = random.Random(seed), Done()
    noise = Noise(choices, rate)
    port = CountingPort(board, noise, noise)

    async def work(link):
        host = Host(link)
        await bench_ports(host, config, 1)
        host.post(Opcode.RESET, 0)
        # NOP, and back.
        host.post(Opcode.LOAD, 0, load(0, [int(Op.NOP) << _OP | 1, int(Op.B) << _OP]))
        written, operations = [0] * config.lrs, 0
        while port.frames < frames:
            for _ in range(choices.randrange(6)):
                n, value = choices.randrange(config.lrs), choices.getrandbits(16)
                written[n] = value
                host.post(Opcode.ACCESS, 0, access(Access(2, lookup(f"ICH_LR{n}_EL2"), True, value)))
            n = choices.randrange(config.lrs)
            budget = choices.randrange(1, 50)
            operations += budget
            await host.ask(Opcode.RESUME, 0, resume(budget, entry=1))
            read = access(Access(2, lookup(f"ICH_LR{n}_EL2")))
            status = await host.ask(Opcode.STATUS, 0)
            value = await host.ask(Opcode.ACCESS, 0, read)
            done.commands += 3
            if status[2] != operations:
                done.wrong.append(f"{status[2]} operations, not {operations}")
            if value[1] != written[n]:
                done.wrong.append(f"LR{n} is {value[1]:#x}, not {written[n]:#x}")

    while port.frames < frames and not done.wrong:
        link = SerialLink(port)
        try:
            link.begin()
            run(work(link))
        except LineError:
            done.given_up += 1  # reported, which is allowed; the next session begins afresh
        done.resent += link.resent
    done.frames, done.hits = port.frames, noise.hits
    return done
