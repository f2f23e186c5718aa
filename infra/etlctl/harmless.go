package main

import (
	"io"
	"unicode/utf8"

	"etl-dataloader/internal/message"
)

// harmlessWriter writes text with control characters other than line breaks escaped
// (see [message.VisibleLines]). JSON remains JSON with the same value. It holds back an
// incomplete character until the rest arrives.
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
