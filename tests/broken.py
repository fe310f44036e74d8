"""Gateware with one rule broken, to see the benches find it.

Each entry patches one function of the gateware while a cluster is exported or elaborated.
"""

from contextlib import contextmanager
from unittest import mock

from hw import core, interface
from hw.config import GicConfig
from hw.export import to_verilog

__all__ = ["BREAKAGES", "broken", "broken_verilog", "late_response"]


def _masks_swapped(vmcr, config):
    group0, group1 = _REAL_MASKS(vmcr, config)
    return group1, group0


def _bpr1_without_cbpr(vmcr):
    return vmcr.VBPR1


_REAL_MASKS = core.group_masks

#: Name of the breakage (and the rule it breaks) -> module, what to replace in it, and by what.
BREAKAGES = {
    "group masks swapped (SIG-5)": (core, "group_masks", _masks_swapped),
    "CBPR does not show in BPR1 (REG-6)": (interface, "group1_read", _bpr1_without_cbpr),
}


@contextmanager
def broken(name):
    """Break one rule of every interface elaborated inside the ``with`` block."""
    module, attribute, replacement = BREAKAGES[name]
    assert hasattr(module, attribute)
    with mock.patch.object(module, attribute, replacement):
        yield


def broken_verilog(name, config: GicConfig) -> str:
    """Return the Verilog of a broken cluster of one PE."""
    with broken(name):
        return to_verilog(config, 1)


def late_response(verilog: str) -> str:
    """Return a cluster whose responses come one cycle late: a wrapper around the real one."""
    header = verilog[verilog.rindex("module cluster(") :]
    header = header[: header.index(";") + 1]
    names = [name.strip() for name in header[header.index("(") + 1 : header.rindex(")")].split(",")]
    body = verilog[verilog.index(header) :]
    lines = []
    for line in body.splitlines():
        words = line.strip().rstrip(";").split()
        if words and words[0] in ("input", "output"):
            late = words[-1].startswith("pe0__response")
            lines.append(f"  {' '.join(words[:-1])} {words[-1]};")
            if late:
                lines.append(f"  reg {' '.join(words[1:-1])} {words[-1]};")
                lines.append(f"  wire {' '.join(words[1:-1])} early_{words[-1]};")
                lines.append(f"  always @(posedge clk) {words[-1]} <= early_{words[-1]};")
        if line.strip() == "endmodule":
            break
    links = [f".{name}({'early_' if name.startswith('pe0__response') else ''}{name})" for name in names]
    inner = verilog.replace("module cluster(", "module intact(", 1)
    return "\n".join(
        [
            inner,
            f"module cluster({', '.join(names)});",
            *lines,
            f"  intact it({', '.join(links)});",
            "endmodule",
        ]
    )
