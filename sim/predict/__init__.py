"""Prediction of a real kernel: the recorded stimulus goes to our vgic, its answer is compared.

A recording of Linux KVM holds everything that went into the kernel's vgic (guest register accesses that
trapped, injections, what the hardware handed back at each exit) and everything that came out of it (the
ICH_* accesses of each world switch). Here the first drives :mod:`sim.kvm` and :mod:`sim.world_switch`, and
the second is compared with what they do: at each entry ICH_HCR_EL2, ICH_VMCR_EL2, every ICH_LR<n>_EL2 and
the active priorities, and the sequence of accesses since the entry before.

Open loop, the hardware's answers are the recorded ones. Closed loop, an engine executes the hypervisor's and
the guest's accesses and *its* answers go to the vgic.
"""

from sim.predict.predictor import Predictor
from sim.predict.report import Difference, Report
from sim.predict.search import find_order, predict_trace
from sim.predict.setup import NOT_PREDICTABLE, build_vm, is_predictable, placement, profile_of

__all__ = [
    "NOT_PREDICTABLE",
    "Difference",
    "Predictor",
    "Report",
    "build_vm",
    "find_order",
    "is_predictable",
    "placement",
    "predict_trace",
    "profile_of",
]
