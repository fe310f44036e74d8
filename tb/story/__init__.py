"""The story that ``spillway demo`` tells: one guest under three hypervisors, on the gateware."""
