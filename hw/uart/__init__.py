"""The serial line of the bench: pins, frames, and the bridge to the mailbox's words (``docs/uart.md``)."""
