"""The cocotb benches. By hand: ``python -m tb.benches random_stream --engine icarus --seed 7``."""
