package main

import (
	"io"
	"unicode/utf8"

	"etl-dataloader/internal/message"
)

// harmlessWriter writes text with its control characters escaped, but for ends of
// lines (see [message.VisibleLines]). JSON stays JSON of the same value. It holds
// back the beginning of a character whose rest is still to come.
type harmlessWriter struct {
	out  io.Writer
	rest []byte
}

// Write implements io.Writer.
func (w *harmlessWriter) Write(text []byte) (int, error) {
	whole := append(w.rest, text...)
	end := len(whole)
	for back := 1; back < utf8.UTFMax && back <= len(whole); back++ {
		if at := len(whole) - back; utf8.RuneStart(whole[at]) {
			if !utf8.FullRune(whole[at:]) {
				end = at
			}
			break
		}
	}
	w.rest = append([]byte(nil), whole[end:]...)
	if _, err := io.WriteString(w.out, message.VisibleLines(string(whole[:end]))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// flush writes what is held back.
func (w *harmlessWriter) flush() {
	_, _ = io.WriteString(w.out, message.VisibleLines(string(w.rest)))
	w.rest = nil
}
