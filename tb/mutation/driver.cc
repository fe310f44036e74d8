// A mutated interface as a library: a whole access at a time, or a cycle at a time. The generated part comes first.
//
// An access is made as sim/engines/amaranth.py makes it. LATENCY and SETTLING are put in front of this file.

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

using design = cxxrtl_design::p_top;

template<size_t N> inline const cxxrtl::value<N> &now(const cxxrtl::value<N> &out) { return out; }
template<size_t N> inline const cxxrtl::value<N> &now(const cxxrtl::wire<N> &out) { return out.curr; }

enum { READY = 1, VALID = 2, SETTLED = 4, DEACTIVATES = 8 };
constexpr size_t PINTID_AT = 7;
constexpr uint64_t PINTID_MASK = 0x1fff;
constexpr int PATIENCE = 64;    // cycles after which an answer will not come any more
constexpr size_t MOST = 8;      // deactivations that are told of one access

} // namespace

extern "C" {

struct mutant {
	design top;
	bool evaluated = false, deactivated = false;
	uint64_t pintids[MOST];
	size_t count = 0;

	void change() {
		if (evaluated) forget(top);
		evaluated = false;
	}
	// The pins in this cycle; the clock's last level is set back by hand, so that each evaluation is a rising edge.
	const uint64_t *look() {
		if (!evaluated) {
			top.prev_p_clk.set<bool>(false);
			top.p_clk.set<bool>(true);
			top.eval(nullptr);
			evaluated = true;
		}
		return now(top.p_pins).data;
	}
	void tick() {
		look();
		top.commit();
		evaluated = false;
		uint64_t pins = *look();
		bool valid = pins & DEACTIVATES;
		if (valid && !deactivated && count < MOST) pintids[count++] = pins >> PINTID_AT & PINTID_MASK;
		deactivated = valid;
	}
	void ticks(int n) { while (n--) tick(); }
	void request(bool valid, const uint64_t *payload) {
		change();
		top.p_request__valid.set<bool>(valid);
		memcpy(top.p_request.data, payload, sizeof top.p_request.data);
	}
	bool wait(uint64_t bit) {
		for (int n = 0; n < PATIENCE; n++) {
			if (*look() & bit) return true;
			tick();
		}
		return false;
	}
};

void mutant_delete(mutant *m) { delete m; }

// Reset, with deactivations taken at once.
void mutant_reset(mutant *m) {
	m->change();
	m->top.p_rst.set<bool>(true);
	m->top.p_deactivate__ready.set<bool>(true);
	m->top.p_request__valid.set<bool>(false);
	m->tick();
	m->change();
	m->top.p_rst.set<bool>(false);
	m->count = 0;
	m->deactivated = false;
}

mutant *mutant_new(uint32_t number) {
	mutant *m = new mutant;
	m->top.p_show.set<bool>(true);
	m->top.p_mutsel.set<uint32_t>(number);
	mutant_reset(m);
	return m;
}

// Wait until the port has settled and copy the pins. Returns false if it never does.
bool mutant_settle(mutant *m, uint64_t *pins) {
	if (!(*m->look() & SETTLED)) {
		m->ticks(SETTLING);
		if (!m->wait(SETTLED)) return false;
	}
	memcpy(pins, m->look(), sizeof now(m->top.p_pins).data);
	return true;
}

// Make an access; the pins are those of the response. Returns false if none comes.
bool mutant_access(mutant *m, const uint64_t *payload, uint64_t *pins) {
	m->request(true, payload);
	m->ticks(*m->look() & READY ? LATENCY : LATENCY + 1);
	if (!m->wait(VALID)) return false;
	memcpy(pins, m->look(), sizeof now(m->top.p_pins).data);
	m->request(false, payload);
	return true;
}

// Copy the physical deactivations since the last call; returns their number.
size_t mutant_deactivations(mutant *m, uint64_t *pintids) {
	size_t count = m->count;
	memcpy(pintids, m->pintids, sizeof m->pintids);
	m->count = 0;
	return count;
}

// Let one cycle pass with these inputs, perhaps one of reset, and copy the pins of that cycle.
void mutant_cycle(mutant *m, bool valid, const uint64_t *payload, bool ready, bool reset, uint64_t *pins) {
	m->request(valid, payload);
	m->top.p_rst.set<bool>(reset);
	m->top.p_deactivate__ready.set<bool>(ready);
	memcpy(pins, m->look(), sizeof now(m->top.p_pins).data);
	m->tick();
}

}
