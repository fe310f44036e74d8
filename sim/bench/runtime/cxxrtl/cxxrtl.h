// What the C++ that Yosys' write_cxxrtl generates is compiled against, in place of the runtime Yosys ships.
//
// The interface and the meaning are those of that runtime, as far as the bench's parts use them (unsigned
// operators; no debug information, no black boxes). The difference is speed: values are 64-bit words, and a slice
// or a concatenation never becomes a value of its own: which bits of which operand a word is made of is
// decided at compile time. An operator that is missing here does not compile; it never computes something else.

#ifndef SPILLWAY_CXXRTL_H
#define SPILLWAY_CXXRTL_H

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <type_traits>
#include <vector>

#define CXXRTL_ASSERT(condition)
#define SPILLWAY_INLINE __attribute__((always_inline)) inline

namespace cxxrtl_yosys {

using word_t = uint64_t;
constexpr size_t word_bits = 64;

constexpr word_t low(size_t bits) { return bits >= word_bits ? ~word_t(0) : (word_t(1) << bits) - 1; }
constexpr size_t words_for(size_t bits) { return (bits + word_bits - 1) / word_bits; }
// Width of word `n` of a value.
constexpr size_t width_of(size_t bits, size_t n) {
	return bits - n * word_bits < word_bits ? bits - n * word_bits : word_bits;
}
constexpr size_t max(size_t a, size_t b) { return a > b ? a : b; }

template<size_t Bits> struct value;
template<class Expr, size_t Stop, size_t Start> struct slice_expr;
template<class High, class Low> struct concat_expr;

// What can be sliced and concatenated. An expression has `bits`, and get<At, Width>(): those of its bits, at most 64.
// One that can be assigned to has put<At, Width>(word), too. It refers to its operands; use it in the same statement.
template<class Expr> struct expr_base {
	SPILLWAY_INLINE const Expr &self() const { return *static_cast<const Expr *>(this); }
	SPILLWAY_INLINE Expr &self() { return *static_cast<Expr *>(this); }

	template<size_t Stop, size_t Start = Stop> SPILLWAY_INLINE slice_expr<const Expr, Stop, Start> slice() const {
		return {self()};
	}
	template<size_t Stop, size_t Start = Stop> SPILLWAY_INLINE slice_expr<Expr, Stop, Start> slice() {
		return {self()};
	}
	template<class Other>
	SPILLWAY_INLINE concat_expr<const Expr, std::remove_reference_t<Other>> concat(Other &&low) const {
		return {self(), low};
	}
	template<class Other>
	SPILLWAY_INLINE concat_expr<Expr, std::remove_reference_t<Other>> concat(Other &&low) {
		return {self(), low};
	}
};

// Write `source` to an expression, word by word.
template<size_t N = 0, class Expr, class Source> SPILLWAY_INLINE void assign(Expr &to, const Source &source) {
	if constexpr (N * word_bits < Expr::bits) {
		constexpr size_t width = width_of(Expr::bits, N);
		to.template put<N * word_bits, width>(source.template get<N * word_bits, width>());
		assign<N + 1>(to, source);
	}
}

// Bits whose unused upper part is zero, always.
template<size_t Bits> struct value : expr_base<value<Bits>> {
	static_assert(Bits > 0, "a value has bits");
	static constexpr size_t bits = Bits, words = words_for(Bits);
	word_t data[words] = {};

	value() = default;
	value(const value &) = default;
	value &operator=(const value &) = default;
	// From 32-bit pieces, the low one first.
	template<class... Init> explicit constexpr value(Init... init) {
		const uint32_t pieces[] = {uint32_t(init)...};
		for (size_t n = 0; n < sizeof...(Init); n++) data[n / 2] |= word_t(pieces[n]) << n % 2 * 32;
	}

	SPILLWAY_INLINE const value &val() const { return *this; }

	template<size_t At, size_t Width> SPILLWAY_INLINE word_t get() const {
		static_assert(Width > 0 && Width <= word_bits && At + Width <= Bits, "the bits exist");
		constexpr size_t n = At / word_bits, shift = At % word_bits;
		word_t word = data[n] >> shift;
		if constexpr (shift + Width > word_bits) word |= data[n + 1] << (word_bits - shift);
		// The top of a value needs no mask.
		if constexpr (At + Width == Bits && shift + Width <= word_bits) return word;
		return word & low(Width);
	}
	template<size_t At, size_t Width> SPILLWAY_INLINE void put(word_t word) {
		constexpr size_t n = At / word_bits, shift = At % word_bits;
		if constexpr (At == 0 && Width == Bits) {
			data[0] = word;
			return;
		}
		data[n] = (data[n] & ~(low(Width) << shift)) | word << shift;
		if constexpr (shift + Width > word_bits) {
			constexpr size_t rest = shift + Width - word_bits;
			data[n + 1] = (data[n + 1] & ~low(rest)) | word >> (word_bits - shift);
		}
	}

	template<class Integer> SPILLWAY_INLINE Integer get() const {
		static_assert(std::is_unsigned<Integer>::value && sizeof(Integer) * 8 >= Bits, "it fits");
		return Integer(data[0]);
	}
	template<class Integer> SPILLWAY_INLINE void set(Integer other) {
		data[0] = word_t(other) & low(Bits);
	}

	template<size_t N = 0> SPILLWAY_INLINE bool any() const {
		if constexpr (N + 1 == words) return data[N] != 0;
		else return (data[N] != 0) | any<N + 1>();
	}
	template<size_t N = 0> SPILLWAY_INLINE bool same(const value &other) const {
		if constexpr (N + 1 == words) return data[N] == other.data[N];
		else return (data[N] == other.data[N]) & same<N + 1>(other);
	}
	SPILLWAY_INLINE explicit operator bool() const { return any(); }
	SPILLWAY_INLINE bool operator==(const value &other) const { return same(other); }
	SPILLWAY_INLINE bool operator!=(const value &other) const { return !same(other); }

	// All bits of the one bit.
	template<size_t Count> SPILLWAY_INLINE value<Count> repeat() const {
		static_assert(Bits == 1, "only a bit is repeated");
		value<Count> result;
		for (size_t n = 0; n < result.words; n++) result.data[n] = data[0] ? low(width_of(Count, n)) : 0;
		return result;
	}
};

template<class Expr, size_t Stop, size_t Start> struct slice_expr : expr_base<slice_expr<Expr, Stop, Start>> {
	static_assert(Stop >= Start && Stop < Expr::bits, "the bits exist");
	static constexpr size_t bits = Stop - Start + 1;
	Expr &expr;

	SPILLWAY_INLINE slice_expr(Expr &expr) : expr(expr) {}
	slice_expr(const slice_expr &) = default;
	template<size_t At, size_t Width> SPILLWAY_INLINE word_t get() const {
		return expr.template get<Start + At, Width>();
	}
	template<size_t At, size_t Width> SPILLWAY_INLINE void put(word_t word) {
		expr.template put<Start + At, Width>(word);
	}
	SPILLWAY_INLINE value<bits> val() const {
		value<bits> result;
		assign(result, *this);
		return result;
	}
	SPILLWAY_INLINE operator value<bits>() const { return val(); }
	SPILLWAY_INLINE slice_expr &operator=(const value<bits> &other) {
		assign(*this, other);
		return *this;
	}
	SPILLWAY_INLINE explicit operator bool() const { return bool(val()); }
};

template<class High, class Low> struct concat_expr : expr_base<concat_expr<High, Low>> {
	static constexpr size_t split = Low::bits, bits = High::bits + Low::bits;
	High &high;
	Low &rest;

	SPILLWAY_INLINE concat_expr(High &high, Low &rest) : high(high), rest(rest) {}
	concat_expr(const concat_expr &) = default;
	template<size_t At, size_t Width> SPILLWAY_INLINE word_t get() const {
		if constexpr (At + Width <= split) return rest.template get<At, Width>();
		else if constexpr (At >= split) return high.template get<At - split, Width>();
		else {
			return rest.template get<At, split - At>() | high.template get<0, At + Width - split>() << (split - At);
		}
	}
	template<size_t At, size_t Width> SPILLWAY_INLINE void put(word_t word) {
		if constexpr (At + Width <= split) rest.template put<At, Width>(word);
		else if constexpr (At >= split) high.template put<At - split, Width>(word);
		else {
			rest.template put<At, split - At>(word & low(split - At));
			high.template put<0, At + Width - split>(word >> (split - At));
		}
	}
	SPILLWAY_INLINE value<bits> val() const {
		value<bits> result;
		assign(result, *this);
		return result;
	}
	SPILLWAY_INLINE operator value<bits>() const { return val(); }
	SPILLWAY_INLINE concat_expr &operator=(const value<bits> &other) {
		assign(*this, other);
		return *this;
	}
	SPILLWAY_INLINE explicit operator bool() const { return bool(val()); }
};

// Word `N` of an operand that is extended with zeros or cut to `Bits`.
template<size_t Bits, size_t N, size_t From> SPILLWAY_INLINE word_t word(const value<From> &from) {
	if constexpr (N * word_bits >= From || N * word_bits >= Bits) return 0;
	else {
		word_t taken = from.data[N];
		if constexpr (From > Bits) taken &= low(width_of(Bits, N));
		return taken;
	}
}

// Apply an operator of words to all words of the result.
template<size_t N = 0, size_t Y, size_t A, size_t B, class Op>
SPILLWAY_INLINE void each(value<Y> &y, const value<A> &a, const value<B> &b, Op op) {
	if constexpr (N < value<Y>::words) {
		y.data[N] = op(word<Y, N>(a), word<Y, N>(b)) & low(width_of(Y, N));
		each<N + 1>(y, a, b, op);
	}
}

// The sum of two operands and a carry.
template<size_t Y, size_t A, size_t B>
SPILLWAY_INLINE value<Y> sum(const value<A> &a, const value<B> &b, bool subtract) {
	value<Y> y;
	if constexpr (Y <= word_bits) {
		word_t other = word<Y, 0>(b);
		y.data[0] = (subtract ? word<Y, 0>(a) - other : word<Y, 0>(a) + other) & low(Y);
	} else {
		static_assert(Y <= 2 * word_bits, "a sum has at most 128 bits");
		using wide = unsigned __int128;
		wide left = wide(word<Y, 1>(a)) << word_bits | word<Y, 0>(a);
		wide right = wide(word<Y, 1>(b)) << word_bits | word<Y, 0>(b);
		wide result = subtract ? left - right : left + right;
		y.data[0] = word_t(result);
		y.data[1] = word_t(result >> word_bits) & low(Y - word_bits);
	}
	return y;
}

// a < b, as far as their words up to `N` tell.
template<size_t N, size_t A, size_t B> SPILLWAY_INLINE bool less_to(const value<A> &a, const value<B> &b) {
	constexpr size_t bits = max(A, B);
	word_t left = word<bits, N>(a), right = word<bits, N>(b);
	if constexpr (N == 0) return left < right;
	else return left < right || (left == right && less_to<N - 1>(a, b));
}
template<size_t A, size_t B> SPILLWAY_INLINE bool less(const value<A> &a, const value<B> &b) {
	return less_to<words_for(max(A, B)) - 1>(a, b);
}

template<size_t N = 0, size_t A, size_t B> SPILLWAY_INLINE bool equal(const value<A> &a, const value<B> &b) {
	constexpr size_t bits = max(A, B);
	if constexpr (N == words_for(bits)) return true;
	else return (word<bits, N>(a) == word<bits, N>(b)) & equal<N + 1>(a, b);
}

template<size_t Y> SPILLWAY_INLINE value<Y> flag(bool is) {
	value<Y> y;
	y.data[0] = is;
	return y;
}

// How far to shift; as much as `limit` is all of it.
template<size_t B> SPILLWAY_INLINE size_t amount(const value<B> &b, size_t limit) {
	for (size_t n = 1; n < b.words; n++)
		if (b.data[n]) return limit;
	return b.data[0] < limit ? b.data[0] : limit;
}

#define SPILLWAY_UNARY(name, ...) \
	template<size_t Y, size_t A> SPILLWAY_INLINE value<Y> name(const value<A> &a) { __VA_ARGS__ }
#define SPILLWAY_BINARY(name, ...) \
	template<size_t Y, size_t A, size_t B> \
	SPILLWAY_INLINE value<Y> name(const value<A> &a, const value<B> &b) { __VA_ARGS__ }
#define SPILLWAY_EACH(name, expression) \
	SPILLWAY_BINARY(name, value<Y> y; each(y, a, b, [](word_t l, word_t r) { return expression; }); return y;)

SPILLWAY_UNARY(logic_not, return flag<Y>(!a);)
SPILLWAY_UNARY(reduce_or, return flag<Y>(bool(a));)
SPILLWAY_UNARY(reduce_bool, return flag<Y>(bool(a));)
SPILLWAY_UNARY(reduce_and, value<A> all; each(all, a, a, [](word_t l, word_t) { return ~l; }); return flag<Y>(!all);)
SPILLWAY_UNARY(reduce_xor, word_t x = 0; for (word_t one : a.data) x ^= one; return flag<Y>(__builtin_parityll(x));)
SPILLWAY_UNARY(reduce_xnor, return flag<Y>(!reduce_xor<1>(a));)
SPILLWAY_UNARY(not_u, value<Y> y; each(y, a, a, [](word_t l, word_t) { return ~l; }); return y;)
SPILLWAY_UNARY(pos_u, value<Y> y; each(y, a, a, [](word_t l, word_t) { return l; }); return y;)
SPILLWAY_UNARY(neg_u, return sum<Y>(value<1>(), a, true);)
SPILLWAY_BINARY(logic_and, return flag<Y>(bool(a) && bool(b));)
SPILLWAY_BINARY(logic_or, return flag<Y>(bool(a) || bool(b));)
SPILLWAY_EACH(and_uu, l & r)
SPILLWAY_EACH(or_uu, l | r)
SPILLWAY_EACH(xor_uu, l ^ r)
SPILLWAY_EACH(xnor_uu, ~(l ^ r))
SPILLWAY_BINARY(eq_uu, return flag<Y>(equal(a, b));)
SPILLWAY_BINARY(ne_uu, return flag<Y>(!equal(a, b));)
SPILLWAY_BINARY(lt_uu, return flag<Y>(less(a, b));)
SPILLWAY_BINARY(le_uu, return flag<Y>(!less(b, a));)
SPILLWAY_BINARY(gt_uu, return flag<Y>(less(b, a));)
SPILLWAY_BINARY(ge_uu, return flag<Y>(!less(a, b));)
SPILLWAY_BINARY(add_uu, return sum<Y>(a, b, false);)
SPILLWAY_BINARY(sub_uu, return sum<Y>(a, b, true);)

// The operand is cut or extended to the result's width, then shifted up.
SPILLWAY_BINARY(shl_uu,
	value<Y> y;
	size_t by = amount(b, Y);
	if constexpr (Y <= word_bits) {
		if (by < Y) y.data[0] = word<Y, 0>(a) << by & low(Y);
	} else if (by < Y) {
		const value<Y> from = pos_u<Y>(a);
		size_t skip = by / word_bits, shift = by % word_bits;
		for (size_t n = skip; n < y.words; n++) {
			y.data[n] = from.data[n - skip] << shift;
			if (shift && n > skip) y.data[n] |= from.data[n - skip - 1] >> (word_bits - shift);
		}
		y.data[y.words - 1] &= low(width_of(Y, y.words - 1));
	}
	return y;)

// The operand is shifted down, then cut or extended to the result's width.
SPILLWAY_BINARY(shr_uu,
	value<A> shifted;
	size_t by = amount(b, A);
	if constexpr (A <= word_bits) {
		if (by < A) shifted.data[0] = a.data[0] >> by;
	} else if (by < A) {
		size_t skip = by / word_bits, shift = by % word_bits;
		for (size_t n = skip; n < a.words; n++) {
			shifted.data[n - skip] = a.data[n] >> shift;
			if (shift && n + 1 < a.words) shifted.data[n - skip] |= a.data[n + 1] << (word_bits - shift);
		}
	}
	return pos_u<Y>(shifted);)
SPILLWAY_BINARY(shift_uu, return shr_uu<Y>(a, b);)
SPILLWAY_BINARY(shiftx_uu, return shr_uu<Y>(a, b);)

// A register or an output of one: what it is, and what it will be.
template<size_t Bits> struct wire {
	value<Bits> curr, next;

	wire() = default;
	template<class... Init> explicit constexpr wire(Init... init) : curr(init...), next(init...) {}

	template<class Observer> SPILLWAY_INLINE bool commit(Observer &) {
		bool changed = curr != next;
		curr = next;
		return changed;
	}
};

// Rows of a memory; writes wait for commit(), those of one cycle in the order of their priority.
template<size_t Width> struct memory {
	struct write {
		size_t index, priority;
		value<Width> row, mask;
	};
	const size_t depth;
	std::unique_ptr<value<Width>[]> data;
	std::vector<write> write_queue;

	explicit memory(size_t depth) : depth(depth), data(new value<Width>[depth]) {}

	SPILLWAY_INLINE const value<Width> &operator[](size_t index) const { return data[index]; }

	SPILLWAY_INLINE void update(size_t index, const value<Width> &row, const value<Width> &mask, size_t priority = 0) {
		if (mask) queue({index, priority, row, mask});
	}
	__attribute__((noinline)) void queue(const write &one) {
		auto at = std::find_if(write_queue.begin(), write_queue.end(),
		                       [&](const write &other) { return other.priority > one.priority; });
		write_queue.insert(at, one);
	}

	template<class Observer> SPILLWAY_INLINE bool commit(Observer &) {
		return write_queue.empty() ? false : apply();
	}
	__attribute__((noinline)) bool apply() {
		bool changed = false;
		for (const write &one : write_queue) {
			value<Width> row;
			for (size_t n = 0; n < row.words; n++)
				row.data[n] = (data[one.index].data[n] & ~one.mask.data[n]) | (one.row.data[n] & one.mask.data[n]);
			changed |= data[one.index] != row;
			data[one.index] = row;
		}
		write_queue.clear();
		return changed;
	}
};

struct memory_index {
	bool valid;
	size_t index;

	template<size_t Bits> SPILLWAY_INLINE memory_index(const value<Bits> &address, size_t offset, size_t depth) {
		static_assert(Bits <= word_bits, "an address has at most 64 bits");
		index = address.data[0] - offset;
		valid = address.data[0] >= offset && index < depth;
	}
};

struct performer {};
struct observer {};
struct interior {};

struct module {
	module() = default;
	module(const module &) = delete;
	module &operator=(const module &) = delete;
	virtual ~module() = default;
	virtual void reset() = 0;
	virtual bool eval(performer *performer = nullptr) = 0;
	virtual bool commit() = 0;
};

} // namespace cxxrtl_yosys

namespace cxxrtl = cxxrtl_yosys;

#endif
