/*
 * Entry and exception vectors, EL1 with SP_EL1, MMU and FP off.
 *
 * Every CPU starts here at once, the arguments in x0 to x7; memory behind the file's data is zero.
 */
	.equ FRAME, 192
	.equ CPUS, 2
	.equ STACK_BITS, 13

	.macro vector handler
	.balign 0x80
	b	\handler
	.endm

	.section .vectors, "ax"
	.balign 0x800
vectors:
	/* Current EL with SP_EL0: never used. */
	.rept 4
	vector	unexpected
	.endr
	/* Current EL with SP_EL1: synchronous, IRQ, FIQ, SError. */
	vector	unexpected
	vector	irq
	vector	fiq
	vector	unexpected
	/* Lower EL: never used. */
	.rept 8
	vector	unexpected
	.endr

	/* Save what a C function may change, and what a nested interrupt would overwrite. */
	.macro enter
	stp	x0, x1, [sp, #-FRAME]!
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x29, [sp, #144]
	mrs	x0, elr_el1
	stp	x30, x0, [sp, #160]
	mrs	x1, spsr_el1
	str	x1, [sp, #176]
	.endm

	.text
irq:
	enter
	mov	w0, #1
	bl	handle_interrupt
	b	leave
fiq:
	enter
	mov	w0, #0
	bl	handle_interrupt
leave:
	ldr	x1, [sp, #176]
	ldp	x30, x0, [sp, #160]
	msr	spsr_el1, x1
	msr	elr_el1, x0
	ldp	x18, x29, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp], #FRAME
	eret

unexpected:
	mrs	x0, esr_el1
	mrs	x1, elr_el1
	bl	handle_unexpected
	b	power_off

	.global	_start
_start:
	adr	x8, vectors
	msr	vbar_el1, x8
	/* Each CPU has a stack of its own; those that have none go. */
	mrs	x9, mpidr_el1
	and	x9, x9, #0xff
	cmp	x9, #CPUS
	b.hs	power_off
	adr	x8, stack_top
	sub	x8, x8, x9, lsl #STACK_BITS
	mov	sp, x8
	isb
	bl	guest_main
	/* PSCI CPU_OFF */
power_off:
	movz	w0, #0x8400, lsl #16
	movk	w0, #0x0002
	hvc	#0
	b	power_off
