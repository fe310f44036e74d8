#include "gicv3.h"

#include "cpu.h"

#define GICD 0x08000000ul
#define GICR 0x080a0000ul
#define GICR_STRIDE 0x20000ul
#define SGI_FRAME 0x10000ul

#define GICD_CTLR 0x0000
#define GICD_TYPER 0x0004
#define GICD_IROUTER 0x6000
#define GICD_PIDR2 0xffe8
#define GICR_TYPER 0x0008
#define GICR_WAKER 0x0014
/* At these offsets in the distributor, and in a redistributor's SGI frame for INTIDs below 32. */
#define IGROUPR 0x0080
#define ISENABLER 0x0100
#define ICENABLER 0x0180
#define ISPENDR 0x0200
#define ICPENDR 0x0280
#define ISACTIVER 0x0300
#define ICACTIVER 0x0380
#define IPRIORITYR 0x0400
#define ICFGR 0x0c00

#define CTLR_ENABLE_GRP0 (1u << 0)
#define CTLR_ENABLE_GRP1 (1u << 1)
#define CTLR_ARE (1u << 4)
#define CTLR_RWP (1u << 31)
#define TYPER_LAST (1u << 4)
#define WAKER_PROCESSOR_SLEEP (1u << 1)
#define WAKER_CHILDREN_ASLEEP (1u << 2)
#define LOWEST_PRIORITIES 0xf8f8f8f8u

/* ICC_*_EL1 by encoding, for assemblers that do not know them. */
#define ICC_PMR_EL1 S3_0_C4_C6_0
#define ICC_IAR0_EL1 S3_0_C12_C8_0
#define ICC_EOIR0_EL1 S3_0_C12_C8_1
#define ICC_HPPIR0_EL1 S3_0_C12_C8_2
#define ICC_BPR0_EL1 S3_0_C12_C8_3
#define ICC_DIR_EL1 S3_0_C12_C11_1
#define ICC_RPR_EL1 S3_0_C12_C11_3
#define ICC_SGI1R_EL1 S3_0_C12_C11_5
#define ICC_IAR1_EL1 S3_0_C12_C12_0
#define ICC_EOIR1_EL1 S3_0_C12_C12_1
#define ICC_HPPIR1_EL1 S3_0_C12_C12_2
#define ICC_BPR1_EL1 S3_0_C12_C12_3
#define ICC_CTLR_EL1 S3_0_C12_C12_4
#define ICC_SRE_EL1 S3_0_C12_C12_5
#define ICC_IGRPEN0_EL1 S3_0_C12_C12_6
#define ICC_IGRPEN1_EL1 S3_0_C12_C12_7
/* One more expansion, so that read_sysreg sees the encoding. */
#define icc_read(name) read_sysreg_(name)
#define icc_write(name, value) write_sysreg_(name, value)
#define read_sysreg_(name) read_sysreg(name)
#define write_sysreg_(name, value) write_sysreg(name, value)

#define CTLR_EOIMODE (1u << 1)
#define SRE_SRE (1u << 0)

/* The SGI frame of the running CPU's redistributor. */
static uint64_t private_frame(void)
{
	uint64_t affinity = cpu_affinity();
	uint64_t packed = (affinity >> 32 << 24) | (affinity & 0xffffff);
	uint64_t frame = GICR;

	for (;;) {
		uint64_t typer = read64(frame + GICR_TYPER);

		if (typer >> 32 == packed)
			return frame + SGI_FRAME;
		if (typer & TYPER_LAST)
			return 0;
		frame += GICR_STRIDE;
	}
}

/* Found once for each CPU; tpidr_el1 is free for it. */
static uint64_t frame_of(uint32_t intid)
{
	return intid < GIC_FIRST_SPI ? read_sysreg(tpidr_el1) : GICD;
}

static uint64_t word_of(uint32_t intid, uint32_t offset)
{
	return frame_of(intid) + offset + intid / 32 * 4;
}

static uint32_t bit_of(uint32_t intid)
{
	return 1u << (intid & 31);
}

static void wait_for_distributor(void)
{
	while (read32(GICD + GICD_CTLR) & CTLR_RWP)
		;
}

void gic_distributor_init(void)
{
	uint32_t lines = (read32(GICD + GICD_TYPER) & 0x1f) + 1;

	write32(GICD + GICD_CTLR, 0);
	wait_for_distributor();
	write32(GICD + GICD_CTLR, CTLR_ARE);
	for (uint32_t n = 1; n < lines; n++) {
		write32(GICD + ICENABLER + 4 * n, ~0u);
		write32(GICD + ICACTIVER + 4 * n, ~0u);
		write32(GICD + ICPENDR + 4 * n, ~0u);
		write32(GICD + IGROUPR + 4 * n, ~0u);
		for (uint32_t word = 0; word < 8; word++)
			write32(GICD + IPRIORITYR + 32 * n + 4 * word, LOWEST_PRIORITIES);
		write32(GICD + ICFGR + 8 * n, 0);
		write32(GICD + ICFGR + 8 * n + 4, 0);
	}
	wait_for_distributor();
	write32(GICD + GICD_CTLR, CTLR_ARE | CTLR_ENABLE_GRP0 | CTLR_ENABLE_GRP1);
	wait_for_distributor();
}

static int redistributor_init(void)
{
	uint64_t frame = private_frame();
	uint64_t waker = frame - SGI_FRAME + GICR_WAKER;

	if (!frame || (read32(GICD + GICD_PIDR2) >> 4 & 0xf) != 3)
		return -1;
	write_sysreg(tpidr_el1, frame);
	write32(waker, read32(waker) & ~WAKER_PROCESSOR_SLEEP);
	while (read32(waker) & WAKER_CHILDREN_ASLEEP)
		;
	write32(frame + ICENABLER, ~0u);
	write32(frame + ICACTIVER, ~0u);
	write32(frame + ICPENDR, ~0u);
	write32(frame + IGROUPR, ~0u);
	for (uint32_t word = 0; word < 8; word++)
		write32(frame + IPRIORITYR + 4 * word, LOWEST_PRIORITIES);
	return 0;
}

int gic_cpu_init(void)
{
	int error = redistributor_init();

	if (error)
		return error;
	icc_write(ICC_SRE_EL1, icc_read(ICC_SRE_EL1) | SRE_SRE);
	isb();
	if (!(icc_read(ICC_SRE_EL1) & SRE_SRE))
		return -2;
	icc_write(ICC_PMR_EL1, 0xff);
	/* The finest split the hardware has: every implemented priority level preempts. */
	icc_write(ICC_BPR0_EL1, 0);
	icc_write(ICC_BPR1_EL1, 0);
	gic_set_eoimode(0);
	icc_write(ICC_IGRPEN0_EL1, 1);
	icc_write(ICC_IGRPEN1_EL1, 1);
	isb();
	return 0;
}

void gic_configure(uint32_t intid, enum gic_group group, uint8_t priority, enum gic_trigger trigger)
{
	uint64_t groups = word_of(intid, IGROUPR);
	uint32_t value = read32(groups) & ~bit_of(intid);

	gic_disable(intid);
	write32(groups, group == GIC_GROUP1 ? value | bit_of(intid) : value);
	write8(frame_of(intid) + IPRIORITYR + intid, priority);
	if (intid >= GIC_FIRST_PPI) {
		uint64_t config = frame_of(intid) + ICFGR + intid / 16 * 4;
		uint32_t edge = 2u << (intid & 15) * 2;

		value = read32(config) & ~edge;
		write32(config, trigger == GIC_EDGE ? value | edge : value);
	}
}

void gic_enable(uint32_t intid)
{
	write32(word_of(intid, ISENABLER), bit_of(intid));
}

void gic_disable(uint32_t intid)
{
	write32(word_of(intid, ICENABLER), bit_of(intid));
}

void gic_set_pending(uint32_t intid)
{
	write32(word_of(intid, ISPENDR), bit_of(intid));
}

int gic_is_pending(uint32_t intid)
{
	return (read32(word_of(intid, ISPENDR)) & bit_of(intid)) != 0;
}

int gic_is_active(uint32_t intid)
{
	return (read32(word_of(intid, ISACTIVER)) & bit_of(intid)) != 0;
}

void gic_route(uint32_t intid, uint64_t affinity)
{
	write64(GICD + GICD_IROUTER + 8 * intid, affinity);
}

void gic_send_sgi(uint32_t sgi, uint64_t affinity)
{
	uint64_t above = (affinity >> 8 & 0xff) << 16 | (affinity >> 16 & 0xff) << 32 |
			 (affinity >> 32 & 0xff) << 48;
	uint64_t range = (affinity >> 4 & 0xf) << 44;

	dsb();
	icc_write(ICC_SGI1R_EL1, above | range | (uint64_t)sgi << 24 | 1u << (affinity & 0xf));
	isb();
}

void gic_set_eoimode(int mode)
{
	icc_write(ICC_CTLR_EL1, mode ? CTLR_EOIMODE : 0);
	isb();
}

uint32_t gic_acknowledge(enum gic_group group)
{
	uint32_t intid;

	intid = group == GIC_GROUP1 ? icc_read(ICC_IAR1_EL1) : icc_read(ICC_IAR0_EL1);
	dsb();
	return intid & 0xffffff;
}

void gic_end(enum gic_group group, uint32_t intid)
{
	if (group == GIC_GROUP1)
		icc_write(ICC_EOIR1_EL1, intid);
	else
		icc_write(ICC_EOIR0_EL1, intid);
	isb();
}

void gic_deactivate(uint32_t intid)
{
	icc_write(ICC_DIR_EL1, intid);
	isb();
}

uint32_t gic_running_priority(void)
{
	return icc_read(ICC_RPR_EL1) & 0xff;
}

uint32_t gic_highest_pending(enum gic_group group)
{
	return (group == GIC_GROUP1 ? icc_read(ICC_HPPIR1_EL1) : icc_read(ICC_HPPIR0_EL1)) & 0xffffff;
}
