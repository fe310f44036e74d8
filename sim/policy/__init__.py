"""Any hypervisor's list-register algorithm on the same machine: Xen-like, Bao-like, yours."""
