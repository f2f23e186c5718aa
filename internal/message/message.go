// Package message holds the texts that several packages share, and those that have not
// yet moved to their owners: log messages, alerts and reasons. Operators read them in
// French. Each owner keeps its own texts in files named texts*.go. A test of this
// package fails if any other file contains French text. For a second language, translate
// those files, this package and package etl.
package message
