/*
 * More interrupts in flight than a GIC has list registers, from a guest's point of view.
 *
 * Arguments: x0 phases to run (bits below; 0: all up to SGIS), x1 number of interrupts (1 to 16; 0: 8), x2
 * waves that the phase DEVICES waits for. Everything seen is written to the mailbox.
 */
#include "cpu.h"
#include "gicv3.h"

#define MAILBOX 0x09000000ul
#define MAILBOX_LOG 0x0
#define MAILBOX_FAIL 0x8

#define FIRST 40u
#define LIMIT 16u
#define DEFAULT_COUNT 8u
#define MIXED_STEP 3u
#define HELPER 1u
#define HELPER_SGI 15u
#define HELPER_PRIORITY 0x80
#define ROUNDS 3u

enum phase {
	PENDING = 1,	/* many pending, taken one by one */
	NESTED = 2,	/* EOImode 0, each preempts the one before: all active at once */
	MIXED = 4,	/* the same with every third in Group 0, as FIQ */
	DEFERRED = 8,	/* EOImode 1, deactivated after all have been dropped, in several orders */
	SGIS = 16,	/* EOImode 1 with SGIs below SPIs */
	DEVICES = 32,	/* EOImode 1, idle until devices have raised all; x2 times */
	CROSS = 64,	/* EOImode 1, CPU 1 deactivates what CPU 0 has acknowledged */
};

/* Kinds of log words: kind [31:24], running priority [23:16], INTID or number [15:0]. */
enum event { ACKNOWLEDGED = 1, ENDED = 2, DEACTIVATED = 3, PHASE = 4, PASSED = 5, UNEXPECTED = 6 };

static enum phase phase;
static uint32_t first;
static uint32_t count;
static volatile uint32_t acknowledged;
static volatile uint32_t ended;
/* The first INTIDs acknowledged, in order, and the last one. */
static uint32_t order[LIMIT];
static volatile uint32_t last;
/* What CPU 1 is to deactivate, and how far it is. */
static uint32_t queue[LIMIT];
static volatile uint32_t queued;
static volatile uint32_t drained;
static volatile uint32_t distributor_ready;
static volatile uint32_t helper_ready;
static volatile uint32_t helper_done;

static void log_event(enum event event, uint32_t number)
{
	write32(MAILBOX + MAILBOX_LOG, event << 24 | gic_running_priority() << 16 | number);
}

static void check(int holds, uint32_t line)
{
	if (!holds)
		write32(MAILBOX + MAILBOX_FAIL, line);
}

#define CHECK(condition) check((condition) != 0, __LINE__)

/* The later, the more urgent; 16 levels above the lowest priorities. */
static uint8_t priority_of(uint32_t index)
{
	return 0x88 - 8 * index;
}

static enum gic_group group_of(uint32_t index)
{
	return phase == MIXED && index % MIXED_STEP == MIXED_STEP - 1 ? GIC_GROUP0 : GIC_GROUP1;
}

/* Idle until the counter has reached a value. An interrupt between test and WFI only makes WFI return. */
static void idle_until(const volatile uint32_t *counter, uint32_t value)
{
	for (;;) {
		interrupts_off();
		if (*counter >= value)
			break;
		wfi();
		interrupts_on();
	}
	interrupts_on();
}

static void nest(enum gic_group group, uint32_t intid)
{
	uint32_t index = intid - first;

	CHECK(index == acknowledged - 1);
	if (acknowledged < count) {
		gic_set_pending(intid + 1);
		interrupts_on();
		idle_until(&ended, count - 1 - index);
		interrupts_off();
	}
	CHECK(gic_running_priority() == priority_of(index));
	gic_end(group, intid);
	log_event(ENDED, intid);
	ended++;
}

static void deactivate(uint32_t intid)
{
	gic_deactivate(intid);
	log_event(DEACTIVATED, intid);
}

/* CPU 1 has one interrupt: do what has been queued. */
static void help(uint32_t intid)
{
	CHECK(intid == HELPER_SGI);
	gic_end(GIC_GROUP1, intid);
	gic_deactivate(intid);
	while (drained < queued) {
		deactivate(queue[drained % LIMIT]);
		drained++;
	}
}

void handle_interrupt(enum gic_group group)
{
	uint32_t intid = gic_acknowledge(group);

	if (intid >= GIC_FIRST_SPECIAL && intid <= GIC_SPURIOUS)
		return;
	log_event(ACKNOWLEDGED, intid);
	if (cpu_affinity() == HELPER) {
		help(intid);
		return;
	}
	CHECK(intid >= first && intid < first + count && group == group_of(intid - first));
	last = intid;
	if (acknowledged < LIMIT)
		order[acknowledged] = intid;
	acknowledged++;
	if (phase == NESTED || phase == MIXED) {
		nest(group, intid);
		return;
	}
	gic_end(group, intid);
	log_event(ENDED, intid);
	ended++;
	if (phase == CROSS) {
		queue[queued % LIMIT] = intid;
		queued++;
		gic_send_sgi(HELPER_SGI, HELPER);
	}
}

void handle_unexpected(uint64_t esr, uint64_t elr)
{
	log_event(UNEXPECTED, (uint32_t)elr & 0xffff);
	write64(MAILBOX + MAILBOX_FAIL, esr);
}

static void begin(enum phase next, uint32_t first_intid)
{
	phase = next;
	first = first_intid;
	acknowledged = ended = 0;
	log_event(PHASE, next);
	for (uint32_t n = 0; n < count; n++) {
		gic_configure(first + n, group_of(n), priority_of(n), GIC_EDGE);
		if (first >= GIC_FIRST_SPI)
			gic_route(first + n, cpu_affinity());
		gic_enable(first + n);
	}
}

static void finish(void)
{
	interrupts_off();
	CHECK(gic_running_priority() == GIC_IDLE_PRIORITY);
	CHECK(gic_highest_pending(GIC_GROUP1) == GIC_SPURIOUS);
	for (uint32_t n = 0; n < count; n++) {
		CHECK(!gic_is_active(first + n));
		CHECK(!gic_is_pending(first + n));
		gic_disable(first + n);
	}
	log_event(PASSED, phase);
}

static void raise(uint32_t intid)
{
	if (intid < GIC_FIRST_PPI)
		gic_send_sgi(intid, cpu_affinity());
	else
		gic_set_pending(intid);
}

/* Make all pending while masked, let them in, and see that the most urgent ones came first. */
static void raise_all(void)
{
	acknowledged = ended = 0;
	interrupts_off();
	for (uint32_t n = 0; n < count; n++)
		raise(first + n);
	idle_until(&ended, count);
	for (uint32_t n = 0; n < count; n++)
		CHECK(order[n] == first + count - 1 - n);
}

static void run_pending(void)
{
	begin(PENDING, FIRST);
	raise_all();
	finish();
}

static void run_nested(enum phase which)
{
	begin(which, FIRST);
	gic_set_pending(FIRST);
	idle_until(&ended, count);
	finish();
}

static void run_deferred(enum phase which, uint32_t first_intid)
{
	begin(which, first_intid);
	gic_set_eoimode(1);
	/* The last one first. */
	raise_all();
	for (uint32_t n = 0; n < count; n++)
		CHECK(gic_is_active(first + n));
	for (uint32_t n = count; n-- > 0;)
		deactivate(order[n]);
	/* The first one first. */
	raise_all();
	for (uint32_t n = 0; n < count; n++)
		deactivate(order[n]);
	/* Every other one, then the rest, each raised again as soon as it is inactive. */
	raise_all();
	for (uint32_t n = 0; n < count; n++) {
		uint32_t index = n < (count + 1) / 2 ? 2 * n : 2 * (n - (count + 1) / 2) + 1;
		uint32_t intid = order[index];

		deactivate(intid);
		raise(intid);
		idle_until(&ended, count + n + 1);
		CHECK(last == intid);
	}
	for (uint32_t n = 0; n < count; n++)
		deactivate(first + n);
	gic_set_eoimode(0);
	finish();
}

/* Here "ended" counts what is active and dropped: an INTID cannot come again before it is deactivated. */
static void run_devices(uint32_t waves)
{
	begin(DEVICES, FIRST);
	gic_set_eoimode(1);
	while (waves-- > 0) {
		idle_until(&ended, count);
		for (uint32_t n = 0; n < count; n++) {
			interrupts_off();
			ended--;
			interrupts_on();
			deactivate(first + n);
		}
	}
	gic_set_eoimode(0);
	finish();
}

static void run_cross(void)
{
	while (!helper_ready)
		yield();
	begin(CROSS, FIRST);
	gic_set_eoimode(1);
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		raise_all();
		while (drained < round * count)
			yield();
	}
	gic_set_eoimode(0);
	finish();
	helper_done = 1;
	gic_send_sgi(HELPER_SGI, HELPER);
}

/* CPU 1. */
static void run_helper(void)
{
	while (!distributor_ready)
		yield();
	CHECK(gic_cpu_init() == 0);
	gic_set_eoimode(1);
	gic_configure(HELPER_SGI, GIC_GROUP1, HELPER_PRIORITY, GIC_EDGE);
	gic_enable(HELPER_SGI);
	helper_ready = 1;
	idle_until(&helper_done, 1);
	interrupts_off();
}

void guest_main(uint32_t phases, uint32_t number, uint32_t waves)
{
	count = number ? number : DEFAULT_COUNT;
	CHECK(count <= LIMIT);
	if (count > LIMIT)
		return;
	if (!phases)
		phases = PENDING | NESTED | MIXED | DEFERRED | SGIS;
	if (cpu_affinity() == HELPER) {
		run_helper();
		return;
	}
	gic_distributor_init();
	dsb();
	distributor_ready = 1;
	CHECK(gic_cpu_init() == 0);
	if (phases & PENDING)
		run_pending();
	if (phases & NESTED)
		run_nested(NESTED);
	if (phases & MIXED)
		run_nested(MIXED);
	if (phases & DEFERRED)
		run_deferred(DEFERRED, FIRST);
	if (phases & SGIS)
		run_deferred(SGIS, 0);
	if (phases & DEVICES)
		run_devices(waves);
	if (phases & CROSS)
		run_cross();
}
