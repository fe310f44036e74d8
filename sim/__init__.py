"""Reference models, the hypervisor model, and the engines that run a machine on hardware."""
