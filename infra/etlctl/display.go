package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/registry"
)

// display shows what is going on. It is not safe for concurrent use.
type display interface {
	note(text string)                        // a line that stays
	uploading(sent, all int64, whole string) // bytes, and a line about a file just completed, if any
	progress(s registry.Status)              // of a running import; may be called as often as one likes
	stop()                                   // ends the live display; the other methods may start it again
}

// newDisplay returns bars for a terminal, else lines.
func newDisplay(c *console) display {
	if c.live != nil {
		return &bars{notes: c.out, out: c.live}
	}
	return &lines{out: c.out, now: c.now, shown: map[string]shownState{}}
}

// records returns the number of records that a state has processed.
func records(s registry.StateTotal) int64 {
	return max(s.Counts.Read, s.Counts.Persisted, s.Counts.Valid+s.Counts.Rejected)
}

// rate returns a state's mean number of records per second; 0 if unknown.
func rate(s registry.StateTotal) int64 {
	if seconds := s.Seconds(); seconds > 0 {
		return int64(math.Round(float64(records(s)) / seconds))
	}
	return 0
}

// planned returns the number of units of a state; 0 if unknown.
func planned(state registry.StateTotal, s registry.Status) int {
	if state.State == "Scan" {
		return len(s.Import.Files)
	}
	return state.Planned
}

// lineInterval is the shortest time between two lines about a state that is not over.
const lineInterval = 2 * time.Second

// lines writes a line at a time, for logs and pipes.
type lines struct {
	out   io.Writer
	now   func() time.Time
	shown map[string]shownState
}

type shownState struct {
	text string
	at   time.Time
}

func (l *lines) note(text string) { _, _ = fmt.Fprintln(l.out, text) }

func (l *lines) uploading(_, _ int64, whole string) {
	if whole != "" {
		l.note(whole)
	}
}

// progress writes a line for each state that moved. States with chunks write at most
// one line per interval.
func (l *lines) progress(s registry.Status) {
	now := l.now()
	for _, state := range s.States {
		all := planned(state, s)
		text := strings.TrimRight(fmt.Sprintf("  %-13s %-33s %-12s  %s",
			state.State, state.Step, textUnitsOf(state.Done, all), amount(state)), " ")
		key := fmt.Sprint(s.Import.Generation, " ", state.State)
		before, known := l.shown[key]
		if before.text == text || (known && state.Done != all && now.Sub(before.at) < lineInterval) {
			continue
		}
		l.shown[key] = shownState{text, now}
		_, _ = fmt.Fprintln(l.out, text)
	}
}

// amount returns the records of a state and their rate.
func amount(s registry.StateTotal) string {
	n := records(s)
	if n == 0 {
		return ""
	}
	text := textRecords(n)
	if r := rate(s); r > 0 {
		text += ", " + textRate(r)
	}
	return text
}

func (l *lines) stop() {}

// barWidth is the width of a bar in columns: label, bar and counts fit into 80.
const barWidth = 26

// bars draws a bar for each state, for a terminal.
type bars struct {
	notes  io.Writer // of the same terminal
	out    io.Writer
	live   *mpb.Progress
	states map[string]*stateBar
	upload *mpb.Bar
}

// stateBar is the bar of a state and the text after it.
type stateBar struct {
	bar  *mpb.Bar
	text chan string // holds the latest text
}

// note ends the current bars and writes below them; new bars follow further down. Lines
// written through the bars would be lost if the bars ended before being redrawn.
func (b *bars) note(text string) {
	b.stop()
	_, _ = fmt.Fprintln(b.notes, text)
}

// start starts drawing.
func (b *bars) start() {
	if b.live == nil {
		b.live = mpb.New(mpb.WithOutput(b.out), mpb.WithWidth(barWidth), mpb.WithAutoRefresh())
		b.states = map[string]*stateBar{}
	}
}

func (b *bars) uploading(sent, all int64, _ string) {
	b.start()
	if b.upload == nil {
		b.upload = b.live.AddBar(all, mpb.PrependDecorators(decor.Name(textUploadLabel+" ")),
			mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string {
				return " " + message.Bytes(s.Current) + " / " + message.Bytes(s.Total)
			})))
	}
	b.upload.SetCurrent(sent)
}

func (b *bars) progress(s registry.Status) {
	b.start()
	for i, state := range s.States {
		key := fmt.Sprint(s.Import.Generation, " ", state.State)
		all := planned(state, s)
		one, known := b.states[key]
		if !known {
			one = b.add(string(state.State), all)
			b.states[key] = one
		}
		one.tell(textUnitsOf(state.Done, all) + "  " + amount(state))
		one.bar.SetCurrent(int64(state.Done))
		// A state of unknown size is over once the next one has begun.
		if all == 0 && (i < len(s.States)-1 || s.Import.Status == etl.StatusSucceeded) {
			one.bar.SetTotal(-1, true)
		}
	}
}

// tell sets the text after a bar. There is only one writer, so once the old text is gone,
// taken here or by the drawing goroutine, there is room for the new one.
func (s *stateBar) tell(text string) {
	select {
	case <-s.text:
	default:
	}
	s.text <- text
}

// add adds the bar of a state. all is the number of its units, 0 if unknown.
func (b *bars) add(name string, all int) *stateBar {
	one := &stateBar{text: make(chan string, 1)}
	latest := ""
	one.bar = b.live.AddBar(int64(all),
		mpb.PrependDecorators(decor.Name(fmt.Sprintf("%-13s", name))),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
			select {
			case latest = <-one.text:
			default:
			}
			return " " + latest
		})))
	return one
}

func (b *bars) stop() {
	if b.live == nil {
		return
	}
	if b.upload != nil {
		b.upload.Abort(false)
	}
	for _, one := range b.states {
		one.bar.Abort(false)
	}
	b.live.Wait()
	b.live, b.states, b.upload = nil, nil, nil
}
