"""The numbered rules of the physical side, where the architecture leaves a choice or says little.

The golden model (:mod:`sim.golden_physical`) and the gateware are written apart from this list and from
the register table, and every test of the physical side names the rule it tests. This module holds no
code. Sources: [A] the Arm register pages of GICD_*, GICR_*, ICC_* (DDI 0595/0601); [V2] IHI 0048, GICv2;
[Q] what QEMU does where the text is silent; [C] a choice of this project that the architecture permits.
PHY-1..10 are those of the specification, reduced to one Security state (DS=1), no EL3.

Words: the *latch* and the *line* of an interrupt, its *enable*, *active*, *group*, *priority*, *edge*
(configuration) and *route*. INTIDs: 0..15 SGI, 16..31 PPI, 32..31+spis SPI; SGIs and PPIs are private to
a PE. PE n has affinity 0.0.0.n. "Ignored" is without any effect. All effects of one access or input change
are complete before the next one; what lies between is not visible to software.

State of one interrupt
----------------------
DIST-1   Pending = latch, or line while the configuration is level. [A]
DIST-2   A rising line sets the latch if the configuration is edge, enabled or not, active or not. A falling
         line changes no latch. Driving the level a line already has does nothing. [A]
DIST-3   ISPENDR sets the latch, of level and edge alike: a level interrupt stays pending after its line
         falls. With the line high the latch is set as well. [A]
DIST-4   ICPENDR clears the latch. A level interrupt whose line is high stays pending. [A]
DIST-5   ISPENDR and ICPENDR read pending (DIST-1), whatever active is. [A]
DIST-6   ISACTIVER sets and ICACTIVER clears active, of pending or disabled interrupts too; nothing else
         changes, no active priority of a CPU interface in particular. Both read active. [A]
DIST-7   ISENABLER sets and ICENABLER clears enable; both read it. Enable acts on forwarding alone: a
         disabled interrupt still becomes pending, stays active and is deactivated. [A] SGIs have a real
         enable. [C]
DIST-8   Group, priority, enable and route take effect at once, for a pending interrupt too: it is neither
         lost nor doubled. An active one stays active; active priorities do not follow. [A, C]
DIST-9   Configuration: bit 2x+1 of ICFGR, 0 level, 1 edge; even bits RES0. SGIs are edge, read-only. PPIs
         and SPIs can be written at any time; latch and line are kept, so an interrupt that was pending
         through its line alone stops being so when it becomes edge, and the reverse. [A; C while enabled]
DIST-10  Priority bits below pri_bits are RAZ/WI. IPRIORITYR is accessed by bytes or words. [A]

Forwarding
----------
DIST-11  An interrupt is offered to a PE if it is pending, enabled, not active, of a group that GICD_CTLR
         enables and that the PE's IGRPENn (GICC_CTLR.EnableGrpn) enables, routed to the PE (DIST-14..16),
         and the PE is awake (DIST-17). A disabled group hides nothing behind it, as SEL-2. [A, C]
DIST-12  Highest pending of a PE: smallest priority; of equal ones the smallest INTID. Priority 0xFF is
         never offered (pri_bits 8), as SEL-6. [C]
DIST-13  Pending and active is not offered; deactivation offers it again. So a level interrupt whose line is
         still high is taken again after deactivation and not before. [A]
DIST-14  are: an SPI with IRM 0 goes to the PE of its Aff0. An Aff0 that no PE has: it stays pending and
         goes to none. IROUTER stores IRM and Aff0[3:0]; its other bits are RES0. [A, C]
DIST-15  are: an SPI with IRM 1 goes to one PE, the lowest-numbered one that is awake and whose IGRPEN of
         the SPI's group is set, whatever its PMR; to none if there is none. [C]
DIST-16  GICv2: an SPI is offered to every PE in its ITARGETSR byte; the first acknowledge makes it active
         and withdraws it everywhere. Bits of PEs that do not exist are RAZ/WI. With one PE, ITARGETSR is
         RAZ/WI and every SPI goes to it. ITARGETSR0..7 read the reading PE's own bit in each byte. [V2]
DIST-17  are: GICR_WAKER.ProcessorSleep 1 (its reset value) offers nothing to the PE; interrupts stay
         pending. ChildrenAsleep equals ProcessorSleep. ICC registers work as ever. [A, C]

Messages from the CPU interfaces
--------------------------------
DIST-18  Activate(id): latch cleared, active set. A level interrupt with its line high is then pending and
         active. Of an SPI in a system with several PEs: for all of them. [A, Q]
DIST-19  Deactivate(id): active cleared, nothing else. Of a PPI or SGI: the sender's own. Of an SPI: from
         any PE. No group or enable is looked at. Not active, or an id the distributor does not have:
         ignored. [A]
DIST-20  A HW list register's deactivation (HW-1) is a Deactivate by its PE. pINTID 0..15: GICv3 deactivates
         the PE's own SGI, GICv2 sends nothing (HW-3, C12). pINTID beyond the distributor: ignored.
DIST-21  are, GenerateSGI: for every target PE the SGI's latch is set if the SGI's group at that target is 0
         for ICC_SGI0R, 1 for ICC_SGI1R; else nothing happens there. Enabled, asleep or active does not
         matter. ICC_ASGI1R is ignored: there is no other Security state. [A, C]
DIST-22  Targets: IRM 1 all PEs but the sender. IRM 0: bit t of TargetList is PE t if Aff3, Aff2, Aff1 and
         RS are all 0, else none; bits without a PE are ignored. [A]
DIST-23  are: ISPENDR0/ICPENDR0 set and clear the latch of SGIs too. [A]
DIST-24  The maintenance line of PE n is the line of its PPI 25, which has no other input. [spec MNT-8]

GICv2 SGIs (are False)
----------------------
DIST-25  An SGI has one latch for each source PE at each target PE; pending is any of them. Active, enable,
         group and priority are one per target. [V2, Q]
DIST-26  Acknowledge takes the lowest-numbered source, returns it in CPUID[12:10] and clears its latch
         alone; the SGI is active, and pending too while other sources are left. EOIR, AEOIR and DIR ignore
         CPUID. HPPIR and AHPPIR show the same source. [V2, C]
DIST-27  GICD_SGIR: TargetListFilter 0 CPUTargetList, 1 all but the writer, 2 the writer, 3 nothing. NSATT
         is ignored, the group does not matter. The latch of the writer as source is set. [V2]
DIST-28  CPENDSGIR/SPENDSGIR: byte n mod 4 of word n div 4 is SGI n, bit s source s, of the accessing PE;
         they clear/set latches and read them. Bytes or words. Bits of PEs that do not exist are RAZ/WI. SGI
         bits of ISPENDR0/ICPENDR0 read pending and ignore writes. [V2]
DIST-29  GICD registers of INTIDs 0..31 are banked: the accessing PE's own. [V2]

Frames
------
DIST-30  An access is an error, changes nothing and reads 0 if its offset belongs to no register of
         :mod:`hw.registers_dist`, its size is not one the register allows, it is not aligned to its size,
         or it is in the GICR frame of no PE. Words: every register, the two halves of a 64-bit one
         (IROUTER, GICR_TYPER) too, low half first. Doublewords: 64-bit registers. Bytes: IPRIORITYR,
         ITARGETSR, CPENDSGIR, SPENDSGIR. Halfwords: none. A write to part of a register keeps the rest. [C]
DIST-31  A write to a read-only register is ignored and a read of a write-only register gives 0, without
         error. Reserved bits are RES0. [A]
DIST-32  Registers of the table that a build does not have are RAZ/WI, without error: those beyond
         GICD_TYPER.ITLinesNumber, IROUTER without are, and the other version's PIDR2. INTIDs 32n..32n+31
         exist together, as spis is a multiple of 32. Without are the GICR frame is of no PE. [A]
DIST-33  are: GICD registers of INTIDs 0..31, ITARGETSR, SGIR, CPENDSGIR and SPENDSGIR exist and are RAZ/WI.
         [A]
DIST-34  GICR: PE n's RD_base is at n * 0x20000 of the GICR frame and its SGI_base 0x10000 above. Any PE may
         access any GICR; an access by register name means the accessing PE's own. GICR_TYPER.Affinity_Value
         and Processor_Number are n, Last is set in the last one. [A]
DIST-35  GICD_CTLR: EnableGrp0 and EnableGrp1 can be written; with are ARE and DS read 1, else all other
         bits read 0. RWP reads 0. GICD_TYPER.CPUNumber is PEs - 1 without are and 0 with it. [A]
DIST-36  Reset: groups disabled; every interrupt Group 0, disabled, priority 0, latch 0, not active, level
         (SGIs edge), route PE 0 (IROUTER 0) or no target (ITARGETSR 0). Input lines keep their levels, and
         a line that is high at reset is no rising edge. [A, C]

Physical CPU interface (ICC)
----------------------------
PHY-1    Signalled: the offered interrupt's priority < PMR, and no active bit or its priority < running
         priority, both under the mask of its group (SIG-5 with the physical BPR0, BPR1, CBPR).
PHY-2    Group 0 raises FIQ, Group 1 IRQ, never both at once.
PHY-3    IARn: the offered INTID if it is signalled and of group n, else 1023 and no effect. HPPIRn: the
         offered INTID if it is of group n, signalled or not, else 1023.
PHY-4    A valid IAR sets bit (priority & mask) >> (8 - pre_bits) of its group's active priorities and
         activates.
PHY-5    EOIRn, INTID masked to 16 bits: ignored if it is not one of the distributor's, if no active bit is
         set, or if the most urgent active bit is of the other group (same level in both: Group 0). Else
         that bit is cleared, and with EOImode 0 the INTID deactivated, active or not, whatever its group.
PHY-6    DIR: ignored in EOImode 0 and for an INTID the distributor does not have. Else Deactivate. (At EL1
         a DIR that is not redirected has IMO = FMO = 0, so no permission is left to check.)
PHY-7    One view of PMR and RPR: no shift.
PHY-8    BPRn never below its minimum. CBPR 1: BPR1 reads min(BPR0 + 1, 7) and ignores writes; its value is
         kept.
PHY-9    AP0R and AP1R are plain storage, written whole.
PHY-10   ICC_SGInR: DIST-21, DIST-22. At EL1 with IMO or FMO they trap (TRP-4).
PHY-11   An ICC access that is not redirected reaches this interface, after the same traps as a redirected
         one (TRP-1..6). Whether an APR word exists is a question of the interface that is reached, and
         comes before the traps (TRP-6). At EL2 that is always this one.
PHY-12   pri_bits 4: bits 31:16 of the active priorities are RES0.
PHY-13   CTLR: EOImode and CBPR can be written; PMHE is RES0. PMR stores the implemented bits. RPR: the
         lowest set bit of both groups << (8 - pre_bits), else 0xFF.
PHY-14   Reset: PMR 0, IGRPENn 0, APRs 0, CTLR 0 in its writable bits, BPRn at their minimum.

GICC, the GICv2 face of the same interface
------------------------------------------
GICC-1   CTLR: EnableGrp0/1 are the IGRPENn, CBPR and EOImode (EOImodeS, bit 9) as in ICC; AckCtl and FIQEn;
         the bypass bits and EOImodeNS are RES0. BPR, ABPR, PMR, RPR as BPR0, BPR1, PMR, RPR. [V2]
GICC-2   IAR, HPPIR: Group 0 as ICC_IAR0, HPPIR0. Group 1: with AckCtl 1 as ICC_IAR1, HPPIR1, with AckCtl 0
         1022 and no effect (IAR: if it is signalled, else 1023; HPPIR: always). [V2]
GICC-3   AIAR, AHPPIR: Group 1 alone, 1023 if a Group 0 interrupt is offered. [V2]
GICC-4   EOIR: PHY-5 for Group 0, with AckCtl 1 for the group of the most urgent active bit. AEOIR: for
         Group 1 alone. INTIDs have 10 bits. [V2, C]
GICC-5   FIQEn 0: Group 0 raises IRQ too. FIQEn 1: FIQ. [V2]
GICC-6   APRn are the active priorities of Group 0, NSAPRn of Group 1. [V2, C]
GICC-7   DIR as PHY-6 (second page). IIDR is constant. [V2]
"""
