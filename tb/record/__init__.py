"""What happens while a scenario is played, written down: for waveforms and for reports."""
