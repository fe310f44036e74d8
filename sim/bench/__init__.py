"""The host's side of the synthesizable bench: assembler, mailbox, transports, CPU ports."""
