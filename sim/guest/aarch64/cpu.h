/* What the C code needs of the PE itself. */
#ifndef CPU_H
#define CPU_H

#include <stdint.h>

#define read_sysreg(name)                                                        \
	({                                                                       \
		uint64_t value_;                                                 \
		__asm__ volatile("mrs %0, " #name : "=r"(value_) : : "memory");  \
		value_;                                                          \
	})
#define write_sysreg(name, value) \
	__asm__ volatile("msr " #name ", %0" : : "r"((uint64_t)(value)) : "memory")

static inline void isb(void)
{
	__asm__ volatile("isb" : : : "memory");
}

static inline void dsb(void)
{
	__asm__ volatile("dsb sy" : : : "memory");
}

/* Affinity 3 to 0 of MPIDR_EL1, where that register has them. */
static inline uint64_t cpu_affinity(void)
{
	return read_sysreg(mpidr_el1) & 0xff00fffffful;
}

/* PSTATE.I and PSTATE.F together: Group 1 arrives as IRQ, Group 0 as FIQ. */
static inline void interrupts_on(void)
{
	__asm__ volatile("msr daifclr, #3" : : : "memory");
}

static inline void interrupts_off(void)
{
	__asm__ volatile("msr daifset, #3" : : : "memory");
}

static inline void wfi(void)
{
	__asm__ volatile("dsb sy\n\twfi" : : : "memory");
}

/* Let another CPU run: what is waited for comes from there. */
static inline void yield(void)
{
	__asm__ volatile("yield" : : : "memory");
}

/*
 * Device accesses are single loads and stores with a plain register address: those have a syndrome that
 * a hypervisor can decode. The compiler alone might choose a form with writeback.
 */
static inline uint32_t read32(uint64_t address)
{
	uint32_t value;

	__asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline uint64_t read64(uint64_t address)
{
	uint64_t value;

	__asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(address) : "memory");
	return value;
}

static inline void write8(uint64_t address, uint8_t value)
{
	__asm__ volatile("strb %w0, [%1]" : : "r"(value), "r"(address) : "memory");
}

static inline void write32(uint64_t address, uint32_t value)
{
	__asm__ volatile("str %w0, [%1]" : : "r"(value), "r"(address) : "memory");
}

static inline void write64(uint64_t address, uint64_t value)
{
	__asm__ volatile("str %0, [%1]" : : "r"(value), "r"(address) : "memory");
}

#endif
