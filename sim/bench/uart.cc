// A board: the bench, the bridge of its serial line, and at the two pins the other end's bits.
//
// hw/uart/board.py joins bench and bridge in the same way. The bridge says what it offers, and whether it takes an
// answer, from registers alone; so the bench makes its cycle first, then the bridge. A part at rest is left out.

#include <cstddef>
#include <cstdint>

struct bench;

// As in driver.cc, which is in the bench's library.
struct bench_streams {
	uint32_t command, answer;
	bool command_valid, command_ready, answer_valid, answer_ready;
};
using bench_step = bool (*)(bench *, bench_streams *);

namespace {

// What a register holds. There is none for other outputs: they would be those of the last evaluation.
template<size_t N> inline const cxxrtl::value<N> &now(const cxxrtl::wire<N> &out) { return out.curr; }
template<class T> inline bool high(const T &out) { return now(out).template get<bool>(); }

// The far end of a line: bytes to bits.
struct line_driver {
	unsigned bits = 0, left = 0, wait = 0;

	// The pin in this cycle; `byte` is begun when the line is free.
	bool pin(unsigned divisor) {
		bool level = left ? bits & 1 : true;
		if (left && --wait == 0) { bits >>= 1; left--; wait = divisor; }
		return level;
	}
	bool free() const { return left == 0; }
	void send(uint8_t byte, unsigned divisor) {
		bits = 1u << 9 | unsigned(byte) << 1;
		left = 10;
		wait = divisor;
	}
};

// Bits to bytes, sampled in their middle.
struct line_listener {
	unsigned bits = 0, left = 0, wait = 0;

	// Whether a byte is complete, and it.
	bool take(bool level, unsigned divisor, uint8_t &byte) {
		if (left == 0) {
			if (level) return false;
			left = 10;
			wait = divisor / 2;
			bits = 0;
		}
		if (--wait) return false;
		bits |= unsigned(level) << (10 - left);
		wait = divisor;
		if (--left) return false;
		byte = uint8_t(bits >> 1);
		return bits >> 9 & 1;
	}
};

// The bridge; every evaluation is a rising edge of its clock.
struct board {
	cxxrtl_design::p_bridge top;
	bench *behind;
	bench_step step;
	bench_streams streams = {};
	line_driver driver;
	line_listener listener;
	unsigned divisor;
	bool due = true, bench_rests = false;
	uint64_t cycles = 0;

	board(unsigned divisor, bench *behind, bench_step step) : behind(behind), step(step), divisor(divisor) {
		top.p_rx.template set<bool>(true);
		top.p_rst.template set<bool>(true);
		cycle();
		top.p_rst.template set<bool>(false);
		due = true;
	}

	bool rest() const { return !due && bench_rests && driver.free() && !listener.left; }

	template<class T, class V> void give(T &input, V value) {
		if (input.template get<V>() == value) return;
		input.template set<V>(value);
		due = true;
	}

	// One cycle, in which the host's end holds its pin at `level`.
	void cycle(bool level = true) {
		bool valid = high(top.p_commands____valid), ready = high(top.p_answers____ready);
		if (!bench_rests || valid || valid != streams.command_valid || ready != streams.answer_ready) {
			streams.command_valid = valid;
			streams.answer_ready = ready;
			streams.command = now(top.p_commands____payload).template get<uint32_t>();
			bench_rests = step(behind, &streams);
		}
		give(top.p_rx, level);
		give(top.p_commands____ready, streams.command_ready);
		give(top.p_answers____valid, streams.answer_valid);
		give(top.p_answers____payload, streams.answer);
		if (due) {
			top.prev_p_clk.template set<bool>(false);
			top.p_clk.template set<bool>(true);
			top.eval(nullptr);
			due = top.commit();
		}
		cycles++;
	}
};

} // namespace

extern "C" {

board *board_new(unsigned divisor, bench *behind, bench_step step) {
	return new board(divisor, behind, step);
}

void board_delete(board *b) { delete b; }

uint64_t board_cycles(board *b) { return b->cycles; }

// Send bytes and collect those that come, until the board is at rest, or for so many cycles at most. Returns
// the number of bytes received; *sent becomes that of those sent, *rest whether nothing moves any more.
size_t board_run(board *b, const uint8_t *in, size_t count, uint8_t *out, size_t room, uint64_t cycles,
                 size_t *sent, bool *rest) {
	size_t got = 0;
	*sent = 0;
	*rest = false;
	while (cycles-- && got < room) {
		if (b->driver.free()) {
			if (*sent < count) b->driver.send(in[(*sent)++], b->divisor);
			else if (b->rest()) { *rest = true; break; }
		}
		got += b->listener.take(high(b->top.p_tx), b->divisor, out[got]);
		b->cycle(b->driver.pin(b->divisor));
	}
	return got;
}

}
