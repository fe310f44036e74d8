// The bench as a library: words in, words out, and the loop between them. The generated design comes first.
//
// One evaluation is one clock cycle: the clock's last level is set back by hand, so that every evaluation
// is a rising edge. Inputs count for the cycle that is evaluated; registered outputs are read before it
// and the combinational one (commands.ready) after it.

#include <cstddef>
#include <cstdint>

namespace {

using design = cxxrtl_design::p_bench;

constexpr size_t NO_ANSWER = SIZE_MAX;      // the bench said nothing for `limit` cycles
constexpr size_t NO_ROOM = SIZE_MAX - 1;    // the answers do not fit

struct bench {
	design top;
	uint64_t cycles = 0;

	void cycle() {
		top.prev_p_clk.template set<bool>(false);
		top.p_clk.template set<bool>(true);
		top.eval(nullptr);
		top.commit();
		cycles++;
	}
};

} // namespace

extern "C" {

void bench_reset(bench *b) {
	b->top.p_commands____valid.set<bool>(false);
	b->top.p_answers____ready.set<bool>(true);
	b->top.p_rst.set<bool>(true);
	b->cycle();
	b->top.p_rst.set<bool>(false);
}

bench *bench_new() {
	bench *b = new bench;
	bench_reset(b);
	return b;
}

void bench_delete(bench *b) { delete b; }

uint64_t bench_cycles(bench *b) { return b->cycles; }

// Let time pass, to measure.
void bench_spin(bench *b, uint64_t cycles) {
	b->top.p_commands____valid.set<bool>(false);
	while (cycles--) b->cycle();
}

// Send `count` words and collect `messages` messages, headers included. Returns the number of words.
size_t bench_exchange(bench *b, const uint32_t *in, size_t count, uint32_t *out, size_t room,
                      size_t messages, uint64_t limit) {
	design &top = b->top;
	size_t sent = 0, got = 0, rest = 0;
	uint64_t silent = 0;
	while (sent < count || messages || rest) {
		bool offers = sent < count;
		top.p_commands____valid.set<bool>(offers);
		if (offers) top.p_commands____payload.set<uint32_t>(in[sent]);
		if (top.p_answers____valid.curr.get<bool>()) {
			if (got == room) return NO_ROOM;
			uint32_t word = top.p_answers____payload.curr.get<uint32_t>();
			out[got++] = word;
			if (rest) rest--;
			else { rest = word & 0xff; if (messages) messages--; }
			silent = 0;
		} else if (++silent > limit) return NO_ANSWER;
		b->cycle();
		if (offers && top.p_commands____ready.get<bool>()) { sent++; silent = 0; }
	}
	top.p_commands____valid.set<bool>(false);
	return got;
}

}
