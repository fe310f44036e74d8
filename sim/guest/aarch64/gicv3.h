/* A small GICv3 driver for one security state (GICD_CTLR.DS is 1), affinity routing, no ITS. */
#ifndef GICV3_H
#define GICV3_H

#include <stdint.h>

#define GIC_SPURIOUS 1023u
#define GIC_FIRST_SPECIAL 1020u
#define GIC_FIRST_PPI 16u
#define GIC_FIRST_SPI 32u
#define GIC_IDLE_PRIORITY 0xffu

enum gic_group { GIC_GROUP0, GIC_GROUP1 };
enum gic_trigger { GIC_LEVEL, GIC_EDGE };

/* Every SPI disabled, inactive, Group 1, level, of lowest priority; then enabled. Done by one CPU. */
void gic_distributor_init(void);
/* This CPU's redistributor and CPU interface; the distributor must be initialised. 0: success. */
int gic_cpu_init(void);

/* One interrupt. SGIs and PPIs are this CPU's own. */
void gic_configure(uint32_t intid, enum gic_group group, uint8_t priority, enum gic_trigger trigger);
void gic_enable(uint32_t intid);
void gic_disable(uint32_t intid);
void gic_set_pending(uint32_t intid);
int gic_is_pending(uint32_t intid);
int gic_is_active(uint32_t intid);
/* Route an SPI to the CPU with this MPIDR_EL1 affinity. */
void gic_route(uint32_t intid, uint64_t affinity);
/* Make an SGI pending on the CPU with this MPIDR_EL1 affinity. */
void gic_send_sgi(uint32_t sgi, uint64_t affinity);

/* EOImode 0: EOI drops the priority and deactivates. EOImode 1: EOI drops, gic_deactivate deactivates. */
void gic_set_eoimode(int mode);
uint32_t gic_acknowledge(enum gic_group group);
void gic_end(enum gic_group group, uint32_t intid);
void gic_deactivate(uint32_t intid);
uint32_t gic_running_priority(void);
uint32_t gic_highest_pending(enum gic_group group);

#endif
