"""Linux KVM's vgic as synchronous Python on in-memory state; it never touches a register."""
