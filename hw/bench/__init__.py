"""The synthesizable bench: guest engines and the mailbox that a host drives them through."""
