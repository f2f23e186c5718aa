package main

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"etl-dataloader/infra/proof/stack"
)

// meter watches the processes of a stack: the functions, which the emulator
// starts, and the backends of PostgreSQL. A backend's CPU counts for the
// function at the other end of its connection.
type meter struct {
	stack *stack.Stack

	client, worker *regexp.Regexp

	mutex     sync.Mutex
	functions map[string]*watched // by pid and start
	backends  map[string]*watched
	samples   []sampled
	first     totals
	last      totals
	done      chan struct{}
	cancel    context.CancelFunc
}

// watched is one process; it stays after the process ended, with what was last
// read of it.
type watched struct {
	pid   int
	name  string // of the function; of a backend: of the function it works for
	asked int    // how often its name was looked for
	start float64
	cpu   float64
	peak  int64
}

// totals are CPU seconds of whole process trees.
type totals struct{ emulator, front, postgres, enrichment float64 }

// sampled is the CPU that the functions, and the backends for them, had used at
// a time, in seconds by function.
type sampled struct {
	at       time.Time
	function map[string]float64
	backend  map[string]float64
}

// meterPeriod is how often the processes are read. What a process uses between
// the last reading and its end counts for no function.
const meterPeriod = 500 * time.Millisecond

// patience is how often it is asked whom a backend works for: its title is set
// once it is connected.
const patience = 8

func newMeter(s *stack.Stack) *meter {
	return &meter{
		stack: s, functions: map[string]*watched{}, backends: map[string]*watched{}, done: make(chan struct{}),
		client: regexp.MustCompile(`127\.0\.0\.1\((\d+)\)`), worker: regexp.MustCompile(`parallel worker for PID (\d+)`),
	}
}

// startMeter begins to watch.
func startMeter(ctx context.Context, s *stack.Stack) *meter {
	m := newMeter(s)
	ctx, m.cancel = context.WithCancel(ctx)
	m.first = m.totals()
	m.sample(time.Now(), true)
	go m.watch(ctx)
	return m
}

// stop ends the watch after a last reading.
func (m *meter) stop() {
	m.cancel()
	<-m.done
	m.sample(time.Now(), false)
	m.last = m.totals()
}

func (m *meter) watch(ctx context.Context) {
	defer close(m.done)
	ticker := time.NewTicker(meterPeriod)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case at := <-ticker.C:
			m.sample(at, false)
		}
	}
}

// totals reads the emulator and its front (themselves alone) and the tree of
// PostgreSQL.
func (m *meter) totals() (t totals) {
	if p, err := readProcess(m.stack.Processes.Emulator); err == nil {
		t.emulator = p.cpu
	}
	if p, err := readProcess(m.stack.Processes.Front); err == nil {
		t.front = p.cpu
	}
	if p, err := readProcess(m.stack.Processes.Postgres); err == nil {
		t.postgres = p.cpu + p.reaped
	}
	if p, err := readProcess(m.stack.Processes.Enrichment); err == nil {
		t.enrichment = p.cpu
	}
	for _, p := range children(m.stack.Processes.Postgres) {
		t.postgres += p.cpu
	}
	return t
}

// sample reads every process once. What processes used before the first reading
// does not count.
func (m *meter) sample(at time.Time, first bool) {
	functions, backends := children(m.stack.Processes.Emulator), children(m.stack.Processes.Postgres)
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, p := range functions {
		w := entry(m.functions, p, first)
		if w.name == "" {
			w.name = functionName(environment(p.pid, "AWS_LAMBDA_FUNCTION_NAME"))
		}
		w.cpu = p.cpu
		if peak := peakRSS(p.pid); peak > 0 {
			w.peak = peak
		}
	}
	for _, p := range backends {
		w := entry(m.backends, p, first)
		if w.name == "" && w.asked < patience {
			w.name, w.asked = m.worksFor(p.pid), w.asked+1
		}
		w.cpu = p.cpu
	}
	now := sampled{at: at, function: map[string]float64{}, backend: map[string]float64{}}
	for _, w := range m.functions {
		now.function[w.name] += w.cpu - w.start
	}
	for _, w := range m.backends {
		now.backend[w.name] += w.cpu - w.start
	}
	m.samples = append(m.samples, now)
}

// entry finds the record of a process, or makes it.
func entry(all map[string]*watched, p process, first bool) *watched {
	key := strconv.Itoa(p.pid) + "@" + p.started
	w := all[key]
	if w == nil {
		w = &watched{pid: p.pid}
		if first {
			w.start = p.cpu
		}
		all[key] = w
	}
	return w
}

// functionName is the logical name of a function, "Protect" of
// "etl-bench-ProtectFunction-0123ABC".
func functionName(name string) string {
	name = strings.TrimPrefix(name, stackName+"-")
	if i := strings.LastIndex(name, "Function"); i > 0 {
		return name[:i]
	}
	return name
}

// number is the number that a pattern finds in a text, 0 if it finds none.
func number(text string, pattern *regexp.Regexp) int {
	match := pattern.FindStringSubmatch(text)
	if match == nil {
		return 0
	}
	n, err := strconv.Atoi(match[1])
	if err != nil {
		return 0
	}
	return n
}

// worksFor is the function that a backend works for; empty if it is none's or not
// known yet. Its title tells: "postgres: etl etl 127.0.0.1(59310) COPY",
// "postgres: parallel worker for PID 7".
func (m *meter) worksFor(pid int) string {
	text := title(pid)
	if leader := number(text, m.worker); leader != 0 {
		for _, w := range m.backends {
			if w.pid == leader {
				return w.name
			}
		}
	}
	port := number(text, m.client)
	if port == 0 {
		return ""
	}
	inode := socketOf(port)
	if inode == "" {
		return ""
	}
	for _, w := range m.functions {
		if hasSocket(w.pid, inode) {
			return w.name
		}
	}
	return ""
}

// spent is the CPU that a function used in a span of time, and that PostgreSQL
// used for it.
func (m *meter) spent(function string, from, to time.Time) (goSeconds, postgresSeconds float64) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	var before, after sampled
	for _, s := range m.samples {
		if !s.at.After(from) {
			before = s
		}
		if !s.at.After(to) {
			after = s
		}
	}
	return after.function[function] - before.function[function], after.backend[function] - before.backend[function]
}

// peaks is the peak memory of each function, the largest of its processes.
func (m *meter) peaks() map[string]int64 {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	peaks := map[string]int64{}
	for _, w := range m.functions {
		peaks[w.name] = max(peaks[w.name], w.peak)
	}
	return peaks
}

// unclaimed is PostgreSQL's CPU that no function's backend used: checkpointer,
// WAL writer, autovacuum, workers that ended between two readings.
func (m *meter) unclaimed() float64 {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	rest := m.last.postgres - m.first.postgres
	for _, w := range m.backends {
		if w.name != "" {
			rest -= w.cpu - w.start
		}
	}
	return rest
}
