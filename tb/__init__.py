"""cocotb benches, the simulator runner and the front door."""
