// The bench as a library: words in, words out, and the loop between them. The generated parts come first.
//
// The parts (mailbox; per PE a guest engine and a CPU interface) are joined here as hw/bench/bench.py joins
// them. A cycle evaluates a part until its inputs are steady, and leaves out the parts at rest: those whose
// last cycle has changed no register and whose inputs are what they were. Inputs that only mean something
// with a valid or a strobe beside it, or that only an active mailbox reads, count with that alone.
// bench_everything() evaluates all of them, every cycle; the words must be the same, cycle for cycle.

#include <cstddef>
#include <cstdint>

namespace {

constexpr size_t NO_ANSWER = SIZE_MAX;      // the bench said nothing for `limit` cycles
constexpr size_t NO_ROOM = SIZE_MAX - 1;    // the answers do not fit

template<size_t N> inline const cxxrtl::value<N> &now(const cxxrtl::value<N> &out) { return out; }
template<size_t N> inline const cxxrtl::value<N> &now(const cxxrtl::wire<N> &out) { return out.curr; }

// Copy an output to an input and return whether it has changed.
template<class I, class O> inline bool join(I &in, const O &out) {
	if (in == now(out)) return false;
	in = now(out);
	return true;
}

template<class T> inline bool high(const T &out) { return now(out).template get<bool>(); }

// A generated design. The clock's last level is set back by hand, so that every evaluation is a rising edge.
template<class T> struct part {
	T top;
	bool due = true, evaluated = false;

	void eval() {
		// What an evaluation of this cycle with other inputs has left behind: queued writes, next values.
		if (evaluated) forget(top);
		top.prev_p_clk.template set<bool>(false);
		top.p_clk.template set<bool>(true);
		top.eval(nullptr);
		due = false;
		evaluated = true;
	}
	void commit() {
		if (evaluated) due = top.commit();
		evaluated = false;
	}
};

using mailbox_part = part<cxxrtl_design::p_mailbox>;
using engine_part = part<cxxrtl_design::p_engine>;
using interface_part = part<cxxrtl_design::p_interface>;

bool interface_to_engine(const cxxrtl_design::p_interface &from, cxxrtl_design::p_engine &to) {
	bool changed = join(to.p_cpu____virq, from.p_cpu____virq);
	changed |= join(to.p_cpu____vfiq, from.p_cpu____vfiq);
	changed |= join(to.p_cpu____maintenance, from.p_cpu____maintenance);
	changed |= join(to.p_cpu____settled, from.p_cpu____settled);
	changed |= join(to.p_cpu____request____ready, from.p_cpu____request____ready);
	changed |= join(to.p_cpu____response____valid, from.p_cpu____response____valid);
	changed |= join(to.p_cpu____deactivate____valid, from.p_cpu____deactivate____valid);
	if (high(from.p_cpu____response____valid))
		changed |= join(to.p_cpu____response____payload, from.p_cpu____response____payload);
	if (high(from.p_cpu____deactivate____valid))
		changed |= join(to.p_cpu____deactivate____payload, from.p_cpu____deactivate____payload);
	return changed;
}

bool engine_to_interface(const cxxrtl_design::p_engine &from, cxxrtl_design::p_interface &to) {
	bool changed = join(to.p_cpu____request____valid, from.p_cpu____request____valid);
	changed |= join(to.p_cpu____deactivate____ready, from.p_cpu____deactivate____ready);
	if (high(from.p_cpu____request____valid))
		changed |= join(to.p_cpu____request____payload, from.p_cpu____request____payload);
	return changed;
}

// The mailbox's ports have a number in their name; what joins them to engine and interface has one, too.
template<int N> struct joint;
#define JOINT(n) template<> struct joint<n> { \
	static bool control(mailbox_part &to, const engine_part &from) { \
		bool changed = join(to.top.p_pe##n##____access____ready, from.top.p_host____access____ready); \
		changed |= join(to.top.p_pe##n##____response____valid, from.top.p_host____response____valid); \
		changed |= join(to.top.p_pe##n##____ready, from.top.p_host____ready); \
		changed |= join(to.top.p_pe##n##____running, from.top.p_host____running); \
		changed |= join(to.top.p_pe##n##____settled, from.top.p_host____settled); \
		changed |= join(to.top.p_pe##n##____deactivated, from.top.p_host____deactivated); \
		changed |= join(to.top.p_pe##n##____report____valid, from.top.p_host____report____valid); \
		changed |= join(to.top.p_pe##n##____log____valid, from.top.p_host____log____valid); \
		return changed; \
	} \
	static bool data(mailbox_part &to, const engine_part &from, const interface_part &interface) { \
		bool changed = join(to.top.p_pe##n##____response____payload, from.top.p_host____response____payload); \
		changed |= join(to.top.p_pe##n##____waiting, from.top.p_host____waiting); \
		changed |= join(to.top.p_pe##n##____virq, from.top.p_host____virq); \
		changed |= join(to.top.p_pe##n##____vfiq, from.top.p_host____vfiq); \
		changed |= join(to.top.p_pe##n##____maintenance, from.top.p_host____maintenance); \
		changed |= join(to.top.p_pe##n##____pintid, from.top.p_host____pintid); \
		changed |= join(to.top.p_pe##n##____operations, from.top.p_host____operations); \
		changed |= join(to.top.p_pe##n##____clock, from.top.p_host____clock); \
		changed |= join(to.top.p_pe##n##____records, from.top.p_host____records); \
		changed |= join(to.top.p_pe##n##____report____payload, from.top.p_host____report____payload); \
		changed |= join(to.top.p_pe##n##____log____payload, from.top.p_host____log____payload); \
		changed |= join(to.top.p_pe##n##____guest, from.top.p_host____guest); \
		changed |= join(to.top.p_pe##n##____register, from.top.p_host____register); \
		changed |= join(to.top.p_observe##n, interface.top.p_cpu____observe); \
		return changed; \
	} \
	static bool command(engine_part &to, const mailbox_part &from) { \
		const auto &told = from.top; \
		bool changed = join(to.top.p_host____write, told.p_pe##n##____write); \
		changed |= join(to.top.p_host____access____valid, told.p_pe##n##____access____valid); \
		changed |= join(to.top.p_host____reset, told.p_pe##n##____reset); \
		changed |= join(to.top.p_host____kick, told.p_pe##n##____kick); \
		changed |= join(to.top.p_host____take, told.p_pe##n##____take); \
		changed |= join(to.top.p_host____configure, told.p_pe##n##____configure); \
		changed |= join(to.top.p_host____resume, told.p_pe##n##____resume); \
		changed |= join(to.top.p_host____report____ready, told.p_pe##n##____report____ready); \
		changed |= join(to.top.p_host____log____ready, told.p_pe##n##____log____ready); \
		changed |= join(to.top.p_host____index, told.p_pe##n##____index); \
		if (high(told.p_pe##n##____write)) { \
			changed |= join(to.top.p_host____address, told.p_pe##n##____address); \
			changed |= join(to.top.p_host____instruction, told.p_pe##n##____instruction); \
		} \
		if (high(told.p_pe##n##____access____valid)) \
			changed |= join(to.top.p_host____access____payload, told.p_pe##n##____access____payload); \
		if (high(told.p_pe##n##____configure)) { \
			changed |= join(to.top.p_host____mi__latency, told.p_pe##n##____mi__latency); \
			changed |= join(to.top.p_host____kick__latency, told.p_pe##n##____kick__latency); \
		} \
		if (high(told.p_pe##n##____resume)) { \
			changed |= join(to.top.p_host____options, told.p_pe##n##____options); \
			changed |= join(to.top.p_host____budget, told.p_pe##n##____budget); \
			changed |= join(to.top.p_host____value, told.p_pe##n##____value); \
		} \
		return changed; \
	} \
};
FOR_EACH_PE(JOINT)

struct bench {
	mailbox_part mailbox;
	engine_part engine[PES];
	interface_part interface[PES];
	bool reset[PES] = {};       // what the RESET of the last cycle does in this one
	bool everything = false;
	uint64_t cycles = 0;

	template<int N> bool settle_pe() {
		engine_part &one = engine[N];
		bool again = false;
		if (interface[N].due) {
			interface[N].eval();
			one.due |= interface_to_engine(interface[N].top, one.top);
			if (mailbox.evaluated) mailbox.due |= joint<N>::data(mailbox, one, interface[N]);
		}
		if (one.due) {
			one.eval();
			again = interface[N].due |= engine_to_interface(one.top, interface[N].top);
			mailbox.due |= joint<N>::control(mailbox, one);
			if (mailbox.evaluated) mailbox.due |= joint<N>::data(mailbox, one, interface[N]);
		}
		return again;
	}

	void settle() {
		bool again;
		do {
			again = false;
#define SETTLE(n) again |= settle_pe<n>();
			FOR_EACH_PE(SETTLE)
			if (again || !mailbox.due) continue;
#define DATA(n) joint<n>::data(mailbox, engine[n], interface[n]);
			FOR_EACH_PE(DATA)
			mailbox.eval();
#define COMMAND(n) again |= engine[n].due |= joint<n>::command(engine[n], mailbox);
			FOR_EACH_PE(COMMAND)
		} while (again || mailbox.due);
	}

	void cycle() {
		for (size_t n = 0; n < PES; n++) {
			if (everything) engine[n].due = interface[n].due = true;
			if (reset[n] != high(engine[n].top.p_rst)) {
				engine[n].top.p_rst.template set<bool>(reset[n]);
				interface[n].top.p_rst.template set<bool>(reset[n]);
				engine[n].due = interface[n].due = true;
			}
		}
		if (everything) mailbox.due = true;
		settle();
#define RESET(n) reset[n] = high(mailbox.top.p_pe##n##____reset);
		FOR_EACH_PE(RESET)
		for (size_t n = 0; n < PES; n++) {
			engine[n].commit();
			interface[n].commit();
		}
		mailbox.commit();
		cycles++;
	}

	void offer(bool valid) {
		if (high(mailbox.top.p_commands____valid) != valid) mailbox.due = true;
		mailbox.top.p_commands____valid.template set<bool>(valid);
	}
};

} // namespace

extern "C" {

// Both streams in one cycle; uart.cc has the same.
struct bench_streams {
	uint32_t command, answer;
	bool command_valid, command_ready, answer_valid, answer_ready;
};

// Make a cycle with what is offered and wanted, and say what the bench offers and wants in it. Returns whether
// it is at rest: the next cycle would be like this one.
bool bench_step(bench *b, bench_streams *s) {
	auto &top = b->mailbox.top;
	b->offer(s->command_valid);
	if (s->command_valid && top.p_commands____payload.get<uint32_t>() != s->command) {
		top.p_commands____payload.set<uint32_t>(s->command);
		b->mailbox.due = true;
	}
	if (high(top.p_answers____ready) != s->answer_ready) {
		top.p_answers____ready.set<bool>(s->answer_ready);
		b->mailbox.due = true;
	}
	s->answer_valid = high(top.p_answers____valid);
	s->answer = now(top.p_answers____payload).get<uint32_t>();
	b->cycle();
	s->command_ready = high(top.p_commands____ready);
	bool due = b->mailbox.due;
	for (size_t n = 0; n < PES; n++) due |= b->engine[n].due | b->interface[n].due;
	return !due;
}

void bench_delete(bench *b) { delete b; }

bench *bench_new() {
	bench *b = new bench;
	b->mailbox.top.p_answers____ready.set<bool>(true);
	b->mailbox.top.p_rst.set<bool>(true);
	for (size_t n = 0; n < PES; n++) b->reset[n] = true;
	b->cycle();
	b->mailbox.top.p_rst.set<bool>(false);
	b->mailbox.due = true;
	for (size_t n = 0; n < PES; n++) b->reset[n] = false;
	return b;
}

uint64_t bench_cycles(bench *b) { return b->cycles; }

// Evaluate every part in every cycle, or only those that are not at rest.
void bench_everything(bench *b, bool everything) { b->everything = everything; }

// Let time pass, to measure.
void bench_spin(bench *b, uint64_t cycles) {
	b->offer(false);
	while (cycles--) b->cycle();
}

// Send `count` words and collect `messages` messages, headers included. Returns the number of words.
size_t bench_exchange(bench *b, const uint32_t *in, size_t count, uint32_t *out, size_t room,
                      size_t messages, uint64_t limit) {
	auto &top = b->mailbox.top;
	size_t sent = 0, got = 0, rest = 0;
	uint64_t silent = 0;
	while (sent < count || messages || rest) {
		bool offers = sent < count;
		b->offer(offers);
		if (offers) {
			top.p_commands____payload.set<uint32_t>(in[sent]);
			b->mailbox.due = true;
		}
		if (high(top.p_answers____valid)) {
			if (got == room) return NO_ROOM;
			uint32_t word = now(top.p_answers____payload).get<uint32_t>();
			out[got++] = word;
			if (rest) rest--;
			else { rest = word & 0xff; if (messages) messages--; }
			silent = 0;
		} else if (++silent > limit) return NO_ANSWER;
		b->cycle();
		if (offers && high(top.p_commands____ready)) { sent++; silent = 0; }
	}
	b->offer(false);
	return got;
}

}
