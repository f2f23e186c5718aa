// Package message holds the texts that several packages share, and those that have not moved to
// their owners yet: log messages, alerts and reasons. Operators read them in French. Each owner
// keeps its own texts in files texts*.go, and a test of this package keeps French text out of all
// other files. For a second language, translate those files, this package and package etl.
package message
