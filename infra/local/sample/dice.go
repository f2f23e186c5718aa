package main

import "math/bits"

// topic keeps the dice of different things apart, so that a client's name does
// not follow from the price of the product with the same number.
type topic uint64

const (
	topicClient topic = iota + 1
	topicEmployee
	topicSupplier
	topicCategory
	topicProduct
	topicStore
	topicStock
	topicSale
	topicQuantity
	topicPayment
	topicReturn
	topicFault
	topicLook
)

// dice draws numbers that depend only on its seed. It uses integers only, so that every
// machine draws the same. Its generator is
// SplitMix64 (Steele, Lea and Flood, 2014): small, fast, and good enough for
// samples, not for secrets.
type dice struct{ state uint64 }

// newDice returns the dice of one thing.
func newDice(seed uint64, t topic, id int64) dice {
	d := dice{state: seed*0xd1342543de82ef95 + uint64(t)}
	d.state = d.next() ^ uint64(id) //nolint:gosec // bits, not a quantity
	d.next()
	return d
}

func (d *dice) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	z := d.state
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

// below returns a number from 0 to n-1, all equally likely; n must be positive.
func (d *dice) below(n int64) int64 {
	hi, _ := bits.Mul64(d.next(), uint64(n)) //nolint:gosec // n is positive
	return int64(hi)                         //nolint:gosec // less than n
}

// low returns a number from 0 to n-1, small ones far more likely: half of the
// draws fall into the first eighth.
func (d *dice) low(n int64) int64 {
	u := d.next() >> 32
	cube := u * u >> 32 * u >> 32
	hi, lo := bits.Mul64(cube, uint64(n)) //nolint:gosec // n is positive
	return int64(hi<<32 | lo>>32)         //nolint:gosec // less than n
}

// chance is true in n of 1,000 draws.
func (d *dice) chance(n int64) bool { return d.below(1000) < n }

// of returns one of the words, the first ones more often.
func of[T any](d *dice, words []T) T { return words[d.low(int64(len(words)))] }

// anyOf returns one of the words, all equally often.
func anyOf[T any](d *dice, words []T) T { return words[d.below(int64(len(words)))] }
