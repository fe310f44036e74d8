"""Gateware: the GIC CPU interface as synthesizable Amaranth, and the register table it is made from."""
