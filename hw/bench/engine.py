"""The guest engine: a sequencer that executes an assembled guest program on one CPU port.

An instruction takes two cycles, *next* and *execute*, or three if it computes: *keep* writes the result. The
instruction behind is read meanwhile; a branch that is taken waits a cycle for its target, in *turn*. A
system-register access takes its latency more, and until the lines have settled where RESUME asks for it.
Between two operations, in *next*, the engine looks for reasons to stop. What it does, and when, is specified
in ``docs/mailbox.md``.
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.bench.access import AccessSwitch
from hw.bench.alu import Alu, Branch
from hw.bench.engine_port import EnginePortSignature, Record
from hw.bench.fetch import Fetch
from hw.bench.frames import cpu_signature
from hw.bench.instruction import FREE_LIMIT, REGISTERS, MemoryDetail, Op
from hw.bench.log import Log
from hw.bench.protocol import Cause, Kind, LatencyWord, ResumeWord
from hw.bench.watch import Watch
from hw.config import GicConfig
from hw.config_v2 import GicV2Config
from hw.port import Outcome, PeContext

__all__ = ["LOG_DEPTH", "PROGRAM_DEPTH", "GuestEngine"]

#: Instructions of program memory, and records of the log, unless said otherwise.
PROGRAM_DEPTH, LOG_DEPTH = 512, 64
#: The PE state of a guest under an ordinary hypervisor.
_GUEST = {"imo": 1, "fmo": 1, "nv": 0, "sre_el1": 1, "sre_el2": 1, "hfgrtr_igrpen": 0, "hfgwtr_igrpen": 0}
#: Operations that stop by themselves, and the cause.
_STOPPING = {Op.HALT: Cause.HALT, Op.LOAD: Cause.MMIO, Op.STORE: Cause.MMIO, Op.EXIT: Cause.EXIT}


class GuestEngine(wiring.Component):
    """One PE's guest engine.

    Parameters
    ----------
    config : GicConfig or GicV2Config
        Configuration of the interface behind ``cpu``.
    program_depth : int, power of two, at most 65536
        Instructions of program memory.
    log_depth : int, 4..65535
        Records of the log.

    Members
    -------
    host : In(EnginePortSignature())
        The mailbox's side.
    cpu : Out(cpu_signature(config))
        The CPU interface; its accesses are the guest's while it runs, else the host's.
    """

    def __init__(
        self,
        config: GicConfig | GicV2Config,
        program_depth: int = PROGRAM_DEPTH,
        log_depth: int = LOG_DEPTH,
    ):
        self._config = config
        self._program_depth = program_depth
        self._log_depth = log_depth
        super().__init__({"host": In(EnginePortSignature()), "cpu": Out(cpu_signature(config))})

    def elaborate(self, platform):
        m = Module()
        self._signals(m)
        self._memories(m)
        self._access(m)
        self._watches(m)
        self._record(m)
        self._counters(m)
        self._sequencer(m)
        self._finish(m)
        return m

    def _memories(self, m):
        """Make program memory and registers, and the log."""
        host = self.host
        m.submodules.log = self._log = Log(self._log_depth)
        m.submodules.fetch = self._fetch = fetch = Fetch(self._program_depth)
        self._pc, self._one, self._a, self._source = fetch.pc, fetch.one, fetch.a, fetch.source
        m.d.comb += [
            fetch.write.eq(host.write), fetch.address.eq(host.address),
            fetch.instruction.eq(host.instruction), fetch.running.eq(self._running),
            fetch.index.eq(host.index), host.register.eq(fetch.shown), fetch.wide.eq(self._wide),
        ]  # fmt: skip

    def _signals(self, m):
        self._wide = Signal(64)
        self._step, self._freely = Signal(), Signal()  # go on to the next instruction; that took no time
        # What is to be done in "keep": write a register; jump unless it is 0; record what was found.
        self._puts, self._loops = Signal(), Signal()
        self._found, self._noted = Signal(64), Signal()
        self._delay, self._delayed = Signal(32), Signal()  # what is left of a NOP; that something is
        self._free = Signal(range(FREE_LIMIT + 1))
        self._options = Signal(ResumeWord)
        # Operations that may still be done, if there is a limit; whether the last of them is.
        self._budget, self._limited, self._spent = Signal(32), Signal(), Signal()
        self._done_operations, self._counts = Signal(32), Signal()
        self._operations, self._clock = Signal(32), Signal(32)
        self._running, self._waiting, self._begins = Signal(), Signal(), Signal()
        self._resumed = Signal()
        self._boundary = Signal()  # an operation, or RESUME, has just ended
        self._kicked = Signal()
        self._esr, self._faulted, self._result = Signal(32), Signal(), Signal(64)
        # RESUME's value; if the guest's LOAD keeps only one bit of it, that, and the value otherwise.
        self._value, self._loaded = Signal(64), Signal(64)
        # Cycles by which the clock goes on.
        self._tick = Signal(range(3))
        # A finished operation: its value, what of it the guest's register gets, and whether it faulted.
        self._done, self._done_value, self._done_fault = Signal(), Signal(64), Signal()
        self._found_value = Signal(64)
        self._operand = Signal(64)  # what an operation writes
        # Whether the guest stops, and in the cycle after it, when everybody is to see it; then it reports.
        self._cause, self._stop, self._ending = Signal(Cause), Signal(), Signal()
        self._reporting, self._told = Signal(), Signal(Cause)

    def _access(self, m):
        """Connect the CPU port; the guest's request is its instruction."""
        host, one = self.host, self._one
        m.submodules.access = access = AccessSwitch(self._config)
        connect(m, access.cpu, flipped(self.cpu))
        guest = access.guest
        # Whether the interface takes it is known late in a cycle: what counts it does so a cycle later.
        self._issue, self._issued, self._begun = guest.valid, guest.ready, Signal()
        m.d.sync += self._begun.eq(guest.valid & guest.ready)
        self._held, self._pintid = access.deactivated, access.pintid
        connect(m, flipped(host.access), access.host)
        asked = guest.payload
        m.d.comb += [
            access.running.eq(self._running),
            access.take.eq(host.take | (host.report.valid & host.report.ready)),
            asked.encoding.eq(one.detail), asked.write.eq(self._fetch.writes), asked.el.eq(1),
            asked.rt.eq(one.rd), asked.context.eq(PeContext.const(_GUEST)),
            asked.value.eq(Mux(self._fetch.writes, self._source, 0)),
            host.response.valid.eq(self.cpu.response.valid & ~self._running),
            host.response.payload.eq(self.cpu.response.payload),
        ]  # fmt: skip

    def _watches(self, m):
        """Find what stops the guest between two operations; the last of the list is the most urgent."""
        mi_latency, kick_latency = Signal(LatencyWord), Signal(LatencyWord)
        with m.If(self.host.configure):
            m.d.sync += [mi_latency.eq(self.host.mi_latency), kick_latency.eq(self.host.kick_latency)]
        with m.If(self.host.kick):
            m.d.sync += self._kicked.eq(1)
        self._look, self._forget = Signal(), Signal()
        m.submodules.mi = self._mi = mi = Watch()
        m.submodules.kick = self._kick = kick = Watch()
        for watch, latency, level in (
            (mi, mi_latency, self.cpu.maintenance), (kick, kick_latency, self._kicked)
        ):  # fmt: skip
            m.d.comb += [
                watch.latency.eq(latency), watch.level.eq(level), watch.look.eq(self._look),
                watch.operations.eq(self._operations), watch.clock.eq(self._clock),
                watch.forget.eq(self._forget),
            ]  # fmt: skip
        self._due, self._due_cause = Signal(), Signal(Cause)
        for asks, cause in (
            (self._log.full, Cause.LOG),
            (self._boundary & self._spent, Cause.BUDGET),
            (self._boundary & mi.over, Cause.MAINTENANCE),
            (self._boundary & kick.over, Cause.KICK),
            (self._boundary & self._held, Cause.DEACTIVATION),
        ):
            with m.If(asks):
                m.d.comb += [self._due.eq(1), self._due_cause.eq(cause)]

    def _record(self, m):
        """Fill the log: with what the guest records at once, with an operation in the cycle after it."""
        self._last, self._logs, log = Signal(Record), Signal(), self._log
        self._notes, self._note_kind, self._note_value = log.notes, Signal(Kind), Signal(64)
        connect(m, log.log, flipped(self.host.log))
        m.d.comb += [
            log.note.what.pc.eq(self._pc), log.note.clock.eq(self._clock),
            log.note.what.kind.eq(self._note_kind), log.note.value.eq(self._note_value),
            log.keep.eq(self._logs), log.operation.eq(self._last), self.host.records.eq(log.records),
        ]  # fmt: skip
        m.d.sync += self._logs.eq(0)

    def _operation(self, m):
        """Keep what an operation is, in every cycle until it begins; say so, unless the interface has to."""
        one, kind, what, write = self._one, self._fetch.kind, self._last.what, self._fetch.writes
        sysreg, mmio = kind == Kind.SYSREG, kind == Kind.MMIO
        stored = Mux(mmio & one.literal, self._wide, self._source)
        with m.If(kind != Kind.NONE):
            m.d.sync += [
                what.kind.eq(kind), what.pc.eq(self._pc), what.outcome.eq(Outcome.OK), what.write.eq(write),
                what.size.eq(Mux(mmio, MemoryDetail(one.detail[:8]).size, 0)),
                what.rt.eq(Mux(sysreg | mmio, one.rd, 0)),
                what.virq.eq(self.cpu.virq), what.vfiq.eq(self.cpu.vfiq), self._last.clock.eq(self._clock),
                self._last.target.eq(Mux(sysreg, one.detail, Mux(mmio, one.imm, 0))),
            ]  # fmt: skip
        m.d.comb += self._operand.eq(Mux(write, stored, 0))
        with m.If((kind != Kind.NONE) & ~sysreg):
            m.d.comb += self._counts.eq(1)

    def _counters(self, m):
        """Count operations as they begin, an access a cycle later; let the clock go on."""
        done, budget = self._done_operations, self._budget
        with m.If(self._counts | self._begun):
            m.d.sync += [
                self._operations.eq(self._operations + 1), done.eq(done + 1), self._free.eq(0),
                budget.eq(budget - 1), self._spent.eq(self._limited & (budget == 1)),
            ]  # fmt: skip
        m.d.sync += self._clock.eq(self._clock + self._tick)

    def _sequencer(self, m):
        cpu, host, one = self.cpu, self.host, self._one
        m.submodules.alu = self._alu = Alu()
        m.submodules.branch = self._branch = Branch()
        source = self._source
        m.d.comb += [
            self._alu.op.eq(one.op), self._alu.a.eq(self._a), self._alu.b.eq(source),
            self._branch.a.eq(self._a), self._branch.b.eq(source),
            self._branch.condition.eq(one.detail),
        ]  # fmt: skip
        with m.If(self._step):
            m.d.comb += self._fetch.moves.eq(1)
        with m.If(self._freely):
            m.d.sync += self._free.eq(self._free + 1)
        clear = Signal(range(REGISTERS))
        with m.FSM() as fsm:
            states = "clear", "stopped", "start", "execute", "keep", "wait"
            self._in_state = {name: fsm.ongoing(name) for name in states}
            m.d.sync += host.ready.eq(~self._in_state["clear"])
            jump, options = self._in_state["start"], self._options
            kept = Mux(self._in_state["keep"], self._alu.result, self._found_value)
            m.d.comb += [
                self._fetch.target.eq(Mux(jump, Mux(options.jump, options.pc, self._pc), one.imm)),
                self._fetch.number.eq(Mux(self._in_state["clear"], clear, one.rd)),
                self._fetch.value.eq(Mux(self._in_state["clear"], 0, kept)),
            ]  # fmt: skip
            # A cycle later: it is at the end of a command's logic. What comes with it is steady until then.
            m.d.sync += self._resumed.eq(host.resume)
            with m.State("clear"):
                m.d.comb += self._fetch.put.eq(1)
                m.d.sync += clear.eq(clear + 1)
                with m.If(clear == REGISTERS - 1):
                    m.next = "stopped"
            with m.State("stopped"):
                with m.If(self._resumed):
                    m.d.sync += [
                        self._options.eq(host.options), self._budget.eq(host.budget),
                        self._value.eq(host.value), self._loaded.eq(self._selected()),
                        self._done_operations.eq(0), self._running.eq(1),
                    ]  # fmt: skip
                    m.next = "start"
            with m.State("start"):
                self._start(m)
                m.next = "turn"
            with m.State("turn"):
                m.next = "next"
            with m.State("next"):
                # Taken in every cycle, whatever comes of it. A pause, and too much freedom, are operations.
                m.d.comb += [
                    self._fetch.take.eq(1),
                    self._fetch.pause.eq(self._delayed | (self._free == FREE_LIMIT)),
                ]
                settles = self._boundary & (self._options.exact | self._begins)
                with m.If(settles & ~cpu.settled):
                    m.d.comb += self._tick.eq(~self._begins)
                with m.Else():
                    m.d.comb += self._look.eq(self._boundary)
                    m.d.sync += [self._boundary.eq(0), self._begins.eq(0)]
                    with m.If(self._due):
                        m.d.comb += [self._stop.eq(1), self._cause.eq(self._due_cause)]
                        m.next = "stopped"
                    with m.Else():
                        m.next = "execute"
            with m.State("execute"):
                m.next = "next"
                self._operation(m)
                self._execute(m)
            with m.State("keep"):
                m.next = "next"
                self._keep(m)
            with m.State("wait"):
                # The cycle in which it was taken is made good; no response comes as early as that.
                m.d.comb += self._tick.eq(Mux(self._begun, 2, 1))
                response = cpu.response.payload
                with m.If(cpu.response.valid):
                    m.d.sync += [self._last.what.outcome.eq(response.outcome), self._esr.eq(response.esr)]
                    with m.If(response.outcome == Outcome.TRAP_EL2):
                        m.d.comb += [self._stop.eq(1), self._cause.eq(Cause.TRAP)]
                        m.d.sync += self._waiting.eq(1)
                        m.next = "stopped"
                    with m.Else():
                        m.d.comb += self._done.eq(1)
                        m.next = "next"

    def _start(self, m):
        """RESUME: finish what waits, begin afresh, jump; fetch anew, the host may have loaded something."""
        options = self._options
        m.d.comb += self._fetch.jumps.eq(1)
        m.d.sync += [
            self._boundary.eq(1), self._begins.eq(1), self._limited.eq(self._budget != 0), self._spent.eq(0),
        ]  # fmt: skip
        with m.If(options.entry):
            m.d.comb += self._forget.eq(1)
            m.d.sync += self._kicked.eq(0)
        with m.If(options.complete & self._waiting):
            m.d.comb += self._done.eq(1)
            m.d.sync += self._esr.eq(Mux(options.fault, self._value, 0))
        m.d.sync += self._waiting.eq(0)
        with m.If(options.jump):
            m.d.sync += [self._delay.eq(0), self._delayed.eq(0), self._free.eq(0)]

    def _selected(self):
        """Return what a LOAD's register gets of the value that RESUME brings."""
        value, detail = self.host.value, MemoryDetail(self._one.detail[:8])
        return Mux((self._one.op == Op.LOAD) & detail.select, value.bit_select(detail.bit, 1), value)

    def _jump(self, m):
        """Go on at the instruction's target, a cycle later."""
        m.d.comb += self._fetch.jumps.eq(1)
        m.next = "turn"

    def _execute(self, m):
        one, source = self._one, self._source
        step, free = self._step, self._freely
        m.d.sync += [self._wide.eq(0), self._puts.eq(0), self._loops.eq(0), self._noted.eq(0)]
        with m.If(self._fetch.branches & self._branch.taken):
            self._jump(m)
        with m.Switch(one.op):
            with m.Case(Op.MRS, Op.MSR):
                m.d.comb += self._issue.eq(1)
                m.next = "execute"
                with m.If(self._issued):
                    m.next = "wait"
            with m.Case(*_STOPPING):
                for op, cause in _STOPPING.items():
                    with m.If(one.op == op):
                        m.d.comb += self._cause.eq(cause)
                with m.If((one.op == Op.LOAD) | (one.op == Op.STORE)):
                    m.d.sync += self._waiting.eq(1)
                with m.Else():
                    m.d.sync += self._logs.eq(self._options.record)
                m.d.comb += [self._stop.eq(1), step.eq(one.op == Op.EXIT)]
                m.next = "stopped"
            with m.Case(Op.WFI):
                m.d.comb += step.eq(1)
                m.d.sync += [self._boundary.eq(1), self._logs.eq(self._options.record)]
                with m.If(~self.cpu.virq & ~self.cpu.vfiq):
                    m.d.comb += [self._stop.eq(1), self._cause.eq(Cause.WFI)]
                    m.next = "stopped"
            with m.Case(Op.NOP):
                m.d.comb += [step.eq(~self._fetch.paused), self._tick.eq(1)]
                m.d.sync += [self._boundary.eq(1), self._logs.eq(self._options.record)]
                with m.If(~self._fetch.paused):
                    m.d.sync += self._delay.eq(Mux(one.imm == 0, 0, one.imm - 1))
                    m.d.sync += self._delayed.eq(one.imm > 1)
                with m.Elif(self._delayed):
                    m.d.sync += [self._delay.eq(self._delay - 1), self._delayed.eq(self._delay != 1)]
            with m.Case(Op.MOV, Op.ADD, Op.SUB, Op.AND, Op.ORR, Op.BIC, Op.LSL, Op.LSR, Op.LOOP):
                m.d.sync += [self._puts.eq(1), self._loops.eq(one.op == Op.LOOP)]
                m.next = "keep"
            with m.Case(Op.CMP):
                m.d.comb += [step.eq(1), free.eq(1), self._branch.set.eq(1)]
            with m.Case(Op.B):
                m.d.comb += [free.eq(1), step.eq(~self._branch.taken)]
            with m.Case(Op.LOG):
                m.d.sync += [self._found.eq(source), self._noted.eq(1)]
                m.next = "keep"
            with m.Case(Op.EXPECT):
                m.d.sync += [self._found.eq(self._a), self._noted.eq(~self._branch.equal)]
                m.next = "keep"
            with m.Case(Op.CHECK):
                differs = ~self._faulted & (self._result != source)
                m.d.sync += [self._found.eq(self._result), self._noted.eq(differs)]
                m.next = "keep"
            with m.Case(Op.CHECK_FAULT):
                m.d.sync += [
                    self._found.eq(Mux(self._faulted, self._esr, 0)),
                    self._noted.eq(self._faulted != one.imm[0]),
                ]
                m.next = "keep"
            with m.Case(Op.WIDE):
                m.d.comb += step.eq(1)
                m.d.sync += self._wide.eq(Cat(one.imm, self._wide[:32]))
            with m.Default():
                m.d.comb += [self._stop.eq(1), self._cause.eq(Cause.PROGRAM)]
                m.next = "stopped"

    def _keep(self, m):
        """Write a register with what was computed in the cycle before, or record what was found then."""
        one, loops = self._one, self._loops & ~self._alu.zero
        m.d.comb += [
            self._fetch.put.eq(self._puts), self._notes.eq(self._noted), self._note_value.eq(self._found),
            self._note_kind.eq(Mux(one.op == Op.LOG, Kind.NOTE, Kind.FAILED)),
            self._step.eq(~loops), self._freely.eq((one.op != Op.CHECK) & (one.op != Op.CHECK_FAULT)),
        ]  # fmt: skip
        with m.If(loops):
            self._jump(m)

    def _finish(self, m):
        """Write a read's value back; report a stop; show counters and lines."""
        one, host, cpu, fetch, value = self._one, self.host, self.cpu, self._fetch, self._found_value
        # Where it comes from is known from the state; whether it has come, much later.
        fault, answer = self._options.fault, self.cpu.response.payload
        brought = Cat(Mux(fault, 0, Cat(self._value, self._loaded)), fault)
        answered = Cat(answer.value, answer.value, answer.outcome != Outcome.OK)
        m.d.comb += Cat(self._done_value, value, self._done_fault).eq(
            Mux(self._in_state["wait"], answered, brought)
        )
        with m.If(self._done):
            m.d.comb += [fetch.put.eq(fetch.reads & one.store), fetch.moves.eq(1)]
            m.d.sync += [
                self._result.eq(value), self._faulted.eq(self._done_fault), self._boundary.eq(1),
                self._logs.eq(self._options.record),
            ]  # fmt: skip
        executes = self._in_state["execute"]
        with m.If((executes & (fetch.kind != Kind.NONE)) | (self._done & fetch.reads)):
            m.d.sync += self._last.value.eq(Mux(executes, self._operand, self._done_value))
        cause = Signal(Cause)
        m.d.sync += [self._ending.eq(self._stop), cause.eq(self._cause)]
        with m.If(self._ending):
            m.d.sync += [self._running.eq(0), self._reporting.eq(1), self._told.eq(cause)]
        with m.If(host.report.valid & host.report.ready):
            m.d.sync += self._reporting.eq(0)
        self._show_guest(m)
        report = host.report.payload
        m.d.comb += [
            host.report.valid.eq(self._reporting & cpu.settled & ~self._logs),
            report.stop.cause.eq(self._told), report.stop.records.eq(self._log.records),
            report.stop.virq.eq(cpu.virq), report.stop.vfiq.eq(cpu.vfiq),
            report.stop.maintenance.eq(cpu.maintenance), report.stop.deactivated.eq(self._held),
            report.pintid.eq(self._pintid.pintid), report.operations.eq(self._done_operations),
            report.esr.eq(self._esr), report.clock.eq(self._clock), report.last.eq(self._last),
            host.running.eq(self._resumed | self._running | self._reporting), host.waiting.eq(self._waiting),
            host.settled.eq(cpu.settled),
            host.deactivated.eq(self._held), host.pintid.eq(self._pintid.pintid),
            host.virq.eq(cpu.virq), host.vfiq.eq(cpu.vfiq), host.maintenance.eq(cpu.maintenance),
            host.operations.eq(self._operations), host.clock.eq(self._clock),
        ]  # fmt: skip

    def _show_guest(self, m):
        """Show what decides how the guest goes on."""
        guest, mi, kick = self.host.guest, self._mi, self._kick
        m.d.comb += [
            guest.pc.eq(self._pc), guest.free.eq(self._free), guest.delay.eq(self._delay),
            Cat(guest.equal, guest.lower).eq(self._branch.flags), guest.wide.eq(self._wide),
            guest.result.eq(self._result), guest.faulted.eq(self._faulted), guest.esr.eq(self._esr),
            guest.kicked.eq(self._kicked), guest.mi_armed.eq(mi.armed), guest.mi_age.eq(mi.age),
            guest.kick_armed.eq(kick.armed), guest.kick_age.eq(kick.age),
        ]  # fmt: skip
