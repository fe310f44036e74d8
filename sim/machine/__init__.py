"""The machine: vCPUs on physical CPUs, run by a model of KVM, with guests of any kind in them."""
