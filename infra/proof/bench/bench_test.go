package main

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"etl-dataloader/infra/proof/stack"
)

func TestProcess(t *testing.T) {
	p, err := readProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if p.pid != os.Getpid() || p.started == "" || p.cpu < 0 {
		t.Errorf("%+v", p)
	}
	if peak := peakRSS(os.Getpid()); peak < 1<<20 || peak > 1<<40 {
		t.Errorf("peak memory of this test: %d bytes", peak)
	}
	if _, err := readProcess(-1); err == nil || peakRSS(-1) != 0 || title(-1) != "" || environment(-1, "A") != "" {
		t.Error("a process that does not exist is read")
	}
}

func TestChildren(t *testing.T) {
	child := exec.CommandContext(t.Context(), "cat")
	child.Env = []string{"AWS_LAMBDA_FUNCTION_NAME=etl-bench-ProtectFunction-01"}
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, p := range children(os.Getpid()) {
		found = found || p.pid == child.Process.Pid
	}
	if !found {
		t.Errorf("process %d is not among the children", child.Process.Pid)
	}
	err = stack.Wait(t.Context(), "the program of the child", 5*time.Second, func() (bool, error) {
		return environment(child.Process.Pid, "AWS_LAMBDA_FUNCTION_NAME") == "etl-bench-ProtectFunction-01" && title(child.Process.Pid) == "cat", nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestSocket(t *testing.T) {
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("%v", listener.Addr())
	}
	inode := socketOf(address.Port)
	if inode == "" || !hasSocket(os.Getpid(), inode) {
		t.Errorf("socket %q of port %d is not found in this process", inode, address.Port)
	}
	if hasSocket(os.Getpid(), "0") || socketOf(0) != "" {
		t.Error("a socket is found that is not there")
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"etl-bench-ProtectFunction-0123ABC": "Protect", "etl-bench-CrosscheckFunction-1": "Crosscheck", "other": "other", "": "",
	} {
		if got := functionName(name); got != want {
			t.Errorf("function %q is %q, want %q", name, got, want)
		}
	}
	m := newMeter(&stack.Stack{})
	for text, want := range map[string][2]int{
		"postgres: etl etl 127.0.0.1(59310) COPY": {59310, 0}, "postgres: parallel worker for PID 77": {0, 77}, "postgres: checkpointer": {0, 0},
	} {
		if got := [2]int{number(text, m.client), number(text, m.worker)}; got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// TestSpent: what a function used in a span is what it used until its end less
// what it had used at its beginning.
func TestSpent(t *testing.T) {
	start := time.Date(2024, 10, 8, 12, 0, 0, 0, time.UTC)
	m := newMeter(&stack.Stack{})
	for i := range 5 {
		m.samples = append(m.samples, sampled{
			at: start.Add(time.Duration(i) * time.Second), function: map[string]float64{"Index": float64(i)}, backend: map[string]float64{"Index": float64(10 * i)},
		})
	}
	goSeconds, postgresSeconds := m.spent("Index", start.Add(time.Second), start.Add(3500*time.Millisecond))
	if goSeconds != 2 || postgresSeconds != 20 {
		t.Errorf("%v and %v, want 2 and 20", goSeconds, postgresSeconds)
	}
	if goSeconds, _ := m.spent("Other", start, start.Add(time.Hour)); goSeconds != 0 {
		t.Errorf("an unknown function used %v", goSeconds)
	}
}

func TestFigures(t *testing.T) {
	if median([]float64{3, 1, 2}) != 2 || median([]float64{4, 1, 2, 3}) != 2.5 {
		t.Error("median")
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d is written %s", n, got)
		}
	}
}

func TestFloorScript(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(name, []byte("id,name\r\n1,x\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	script, err := floorScript([]string{name})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"CREATE TABLE bench.t0 (id text, name text);", `\copy bench.t0 FROM '` + name + `' (FORMAT csv, HEADER)`} {
		if !strings.Contains(script, want) {
			t.Errorf("%s\nlacks %s", script, want)
		}
	}
}

// TestEmptied: the tasks do nothing, the Maps and what they iterate over stay.
func TestEmptied(t *testing.T) {
	definition, err := os.ReadFile("../../../statemachine/import.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	text, err := emptied(string(definition), "arn:noop", execution{outputs: map[string]string{
		"Open": `{"files":[1,2],"settings":{"chunk_concurrency":8}}`, "Plan": `{"files":[1,2],"plan":{"bucket":"work"}}`,
	}})
	if err != nil {
		t.Fatal(err)
	}
	var machine emptiedMachine
	if err := json.Unmarshal([]byte(text), &machine); err != nil {
		t.Fatal(err)
	}
	if answer := machine.States["Open"].Parameters.Answer; len(answer) != 2 {
		t.Errorf("Open answers %v", answer)
	}
	if answer := machine.States["Plan"].Parameters.Answer; answer["bucket"] != "work" {
		t.Errorf("Plan answers %v", answer)
	}
	if machine.States["Scan"].ItemsPath != "$.files" {
		t.Error("the Map of the files is gone")
	}
	if tasks := machine.tasks(t); tasks != 14 {
		t.Errorf("%d tasks, want 14", tasks)
	}
	chunk := machine.States["Enrich"].ItemProcessor.States["EnrichSource"].ItemProcessor.States["EnrichChunk"]
	if chunk.Parameters.Answer["done"] != true {
		t.Errorf("EnrichChunk answers %v: the machine would ask for ever", chunk.Parameters.Answer)
	}
	if _, err := emptied("{}", "arn", execution{}); err == nil {
		t.Error("a definition without states is accepted")
	}
}

// emptiedMachine is a machine without work, or the processor of a Map.
type emptiedMachine struct {
	States map[string]struct {
		Type, Resource, ItemsPath string
		Parameters                struct{ Answer map[string]any }
		ItemProcessor             *emptiedMachine
	}
}

// tasks counts the tasks at all levels, and checks that each does nothing.
func (m *emptiedMachine) tasks(t *testing.T) (n int) {
	t.Helper()
	for name, s := range m.States {
		if s.Type == "Task" {
			if n++; s.Resource != "arn:noop" {
				t.Errorf("%s calls %s", name, s.Resource)
			}
		}
		if s.ItemProcessor != nil {
			n += s.ItemProcessor.tasks(t)
		}
	}
	return n
}

func TestVerdict(t *testing.T) {
	peaks := func(transform int64) memoryRun {
		r := memoryRun{peaks: map[string]int64{}}
		for _, phase := range measuredPhases() {
			r.peaks[phase] = 30 << 20
		}
		r.peaks["Transform"] = transform
		return r
	}
	for name, test := range map[string]struct {
		runs []memoryRun
		want string
	}{
		"same":      {[]memoryRun{peaks(100 << 20), peaks(110 << 20)}, ""},
		"grows":     {[]memoryRun{peaks(100 << 20), peaks(160 << 20)}, "differ"},
		"too large": {[]memoryRun{peaks(300 << 20)}, "over 256"},
		"not seen":  {[]memoryRun{peaks(0)}, "not seen"},
	} {
		err := verdict(test.runs)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, arguments := range [][]string{nil, {"other"}, {"speed", "-no"}, {"memory", "-gb", "x"}, {"memory", "-gb", "0"}} {
		if err := run(t.Context(), arguments); err == nil {
			t.Errorf("%v is accepted", arguments)
		}
	}
}
