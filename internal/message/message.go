// Package message makes texts from outside fit to be stored and shown: bounded, on one
// line, without characters that act on a terminal. It also formats figures, and holds
// the few texts that several packages share.
//
// Operators read texts in French. Each package keeps its own in files named texts*.go. A
// test of this package fails if any other file contains French text. For a second
// language, translate those files and the vocabulary, package etl.
package message
