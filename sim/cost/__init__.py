"""What a hypervisor costs: exits and accesses to ICH_* for each interrupt, profile by profile."""
