// Package statemachine_test checks import.asl.json and enrich.asl.json without running them: its shape, its
// error names, the size of the payloads between states, and that every state gets
// exactly the input that its function decodes. The local stack runs it.
package statemachine_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/phase"
)

// Files of the state machines: of an import, and of the replay of its enrichment.
const (
	definition       = "import.asl.json"
	replayDefinition = "enrich.asl.json"
)

// machine is a state machine, or the processor of a Map. Only the fields that
// this project uses are known; any other is a failure of [load].
type machine struct {
	Comment         string
	StartAt         string
	States          map[string]*state
	ProcessorConfig *struct{ Mode, ExecutionType string }
}

type state struct {
	Comment, Type, Resource, Next string
	End                           bool
	Parameters                    map[string]any
	ResultPath                    json.RawMessage
	TimeoutSeconds                int
	Retry                         []retrier
	Catch                         json.RawMessage
	ItemsPath, MaxConcurrencyPath string
	MaxConcurrency                int
	Label                         string
	ItemReader                    *reader
	ItemSelector                  map[string]any
	ItemProcessor                 *machine
	ResultWriter                  *writer
	Choices                       []choice
	Default                       string
	SecondsPath, OutputPath       string
}

// choice is a condition of a Choice, of the kinds that the machine uses.
type choice struct {
	Variable, Next     string
	NumericGreaterThan *int
	BooleanEquals      *bool
}

type retrier struct {
	ErrorEquals                                   []string
	IntervalSeconds, MaxAttempts, MaxDelaySeconds int
	BackoffRate                                   float64
	JitterStrategy                                string
}

type reader struct {
	Resource     string
	ReaderConfig struct{ InputType string }
	Parameters   map[string]any
}

type writer struct {
	Resource   string
	Parameters map[string]any
}

func (s *state) distributed() bool {
	return s.ItemProcessor != nil && s.ItemProcessor.ProcessorConfig.Mode == "DISTRIBUTED"
}

// load reads the state machine of an import.
func load(t *testing.T) *machine {
	t.Helper()
	return loadFile(t, definition)
}

// all reads both state machines.
func all(t *testing.T) []*machine {
	t.Helper()
	return []*machine{load(t), loadFile(t, replayDefinition)}
}

// eachOf visits every state of both.
func eachOf(t *testing.T, visit func(name string, s *state)) {
	t.Helper()
	for _, m := range all(t) {
		m.each(visit)
	}
}

func loadFile(t *testing.T, definition string) *machine {
	t.Helper()
	text, err := os.ReadFile(definition)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var m machine
	if err := decoder.Decode(&m); err != nil {
		t.Fatalf("%s: %v", definition, err)
	}
	return &m
}

// next is the state that follows: after a Choice, the one that its first condition
// names, which ends the line.
func (s *state) next() string {
	if len(s.Choices) > 0 {
		return s.Choices[0].Next
	}
	return s.Next
}

// follow returns all states that may follow.
func (s *state) follow() []string {
	if s.Next != "" {
		return []string{s.Next}
	}
	var all []string
	for _, c := range s.Choices {
		all = append(all, c.Next)
	}
	if s.Default != "" {
		all = append(all, s.Default)
	}
	return all
}

// ends reports whether a machine ends with the state.
func (s *state) ends() bool { return s.End || s.Type == "Succeed" }

// each visits every state, those inside Maps too, in the order of their names.
func (m *machine) each(visit func(name string, s *state)) {
	for _, name := range slices.Sorted(maps.Keys(m.States)) {
		visit(name, m.States[name])
		if p := m.States[name].ItemProcessor; p != nil {
			p.each(visit)
		}
	}
}

// TestPath checks that the states are those of the design, in order.
func TestPath(t *testing.T) {
	m := load(t)
	line := func(m *machine) (names []string) {
		for name := m.StartAt; ; name = m.States[name].next() {
			if m.States[name] == nil {
				t.Fatalf("%q leads to no state", name)
			}
			if names = append(names, name); m.States[name].ends() {
				return names
			}
		}
	}
	want := "Open Scan Plan Raw IndexStaging CrossCheck Enrich Events IndexTargets Reconcile Publish"
	if got := strings.Join(line(m), " "); got != want {
		t.Errorf("the machine goes %s, want %s", got, want)
	}
	for state, want := range map[string]string{
		"Scan": "ScanFile", "Raw": "Protect Stage Validate", "IndexStaging": "IndexStagingResource",
		"Enrich": "EnrichSource", "Events": "Transform Prepare", "IndexTargets": "IndexTarget",
	} {
		if got := strings.Join(line(m.States[state].ItemProcessor), " "); got != want {
			t.Errorf("%s goes %s, want %s", state, got, want)
		}
	}
	want = "EnrichChunk EnrichNext EnrichDone"
	if got := strings.Join(line(m.States["Enrich"].ItemProcessor.States["EnrichSource"].ItemProcessor), " "); got != want {
		t.Errorf("EnrichSource goes %s, want %s", got, want)
	}
}

// TestEveryPathEnds follows every state of every level to an end, and finds no
// unreachable state.
func TestEveryPathEnds(t *testing.T) {
	var check func(m *machine)
	check = func(m *machine) {
		reached := map[string]bool{}
		for left := []string{m.StartAt}; len(left) > 0; left = left[1:] {
			s := m.States[left[0]]
			if s == nil {
				t.Fatalf("state %q does not exist", left[0])
			}
			if reached[left[0]] {
				continue
			}
			reached[left[0]] = true
			if s.ends() == (len(s.follow()) > 0) {
				t.Errorf("%s needs either an end or a state that follows", left[0])
			}
			if s.Type == "Choice" && s.Default == "" {
				t.Errorf("%s leads nowhere if its conditions fail", left[0])
			}
			left = append(left, s.follow()...)
		}
		for name, s := range m.States {
			if !reached[name] {
				t.Errorf("nothing leads to %s", name)
			}
			if s.ItemProcessor != nil {
				check(s.ItemProcessor)
			}
		}
	}
	for _, m := range all(t) {
		check(m)
	}
}

// TestNothingCatches: a redrive of an execution that ended in a Fail state fails
// again, so a step that cannot go on lets the execution fail there.
func TestNothingCatches(t *testing.T) {
	eachOf(t, func(name string, s *state) {
		if s.Catch != nil {
			t.Errorf("%s has a Catch", name)
		}
		if !slices.Contains([]string{"Task", "Map", "Choice", "Wait", "Succeed"}, s.Type) {
			t.Errorf("%s is a %s, which cannot be redriven as this machine needs it", name, s.Type)
		}
	})
}

// TestTasks: every Task has a timeout and retries transient errors.
func TestTasks(t *testing.T) {
	// Lambda's limit is 900 s; a Task waits a minute longer than its function.
	const timeout = 960
	eachOf(t, func(name string, s *state) {
		if s.Type != "Task" {
			return
		}
		if s.TimeoutSeconds != timeout {
			t.Errorf("%s has a timeout of %d s, want %d", name, s.TimeoutSeconds, timeout)
		}
		if len(s.Retry) == 0 {
			t.Errorf("%s has no Retry", name)
		}
		for _, r := range s.Retry {
			if r.IntervalSeconds < 1 || r.MaxAttempts < 2 || r.BackoffRate <= 1 || r.MaxDelaySeconds < r.IntervalSeconds || r.JitterStrategy != "FULL" {
				t.Errorf("%s retries without bounded backoff and jitter: %+v", name, r)
			}
		}
		if name == "ReplayTurn" {
			return // its function decides for people, and knows the attempt from the registry
		}
		if s.Parameters["attempt.$"] != "$$.Execution.RedriveCount" && s.Parameters["attempt.$"] != "$.attempt" {
			t.Errorf("%s is not told the attempt", name)
		}
	})
}

// TestMaps: a Distributed Map reads a pinned manifest, bounds its children, can
// be named in a policy, returns nothing, and is never retried as a whole, which
// would start a new Map Run over all items.
func TestMaps(t *testing.T) {
	labels := map[string]bool{}
	load(t).each(func(name string, s *state) {
		if s.Type != "Map" {
			return
		}
		if !strings.HasPrefix(s.MaxConcurrencyPath, "$.settings.") && s.MaxConcurrencyPath != "$.source.concurrency" && name != "Enrich" {
			t.Errorf("%s does not take its concurrency from the settings or the source", name)
		}
		if s.Retry != nil {
			t.Errorf("%s has a Retry", name)
		}
		if attempt := s.ItemSelector["attempt.$"]; attempt != "$$.Execution.RedriveCount" && (name != "EnrichSource" || attempt != "$.attempt") {
			t.Errorf("%s does not pass the attempt on", name)
		}
		if !s.distributed() {
			return
		}
		if s.Label == "" || len(s.Label) > 40 || labels[s.Label] {
			t.Errorf("%s needs a Label of its own of at most 40 characters", name)
		}
		labels[s.Label] = true
		if s.ItemProcessor.ProcessorConfig.ExecutionType != "STANDARD" {
			t.Errorf("%s has children that are not STANDARD: a redrive would start them over", name)
		}
		if string(s.ResultPath) != "null" {
			t.Errorf("%s passes the results of its children on", name)
		}
		if s.ItemReader == nil || s.ItemReader.ReaderConfig.InputType != "JSONL" || s.ItemReader.Parameters["VersionId.$"] == nil {
			t.Errorf("%s does not read JSON Lines of a pinned version", name)
		}
		if s.ResultWriter == nil || !strings.HasSuffix(s.ResultWriter.Parameters["Prefix.$"].(string), ".results_prefix") {
			t.Errorf("%s does not write its results to the work bucket", name)
		}
	})
	if len(labels) != 3 {
		t.Errorf("%d distributed maps, want 3", len(labels))
	}
}

// TestEnrich: a chunk is asked about until it is done, at once or after the wait that
// its function wants, and its child returns how far it came. Without a source nothing is
// asked.
func TestEnrich(t *testing.T) {
	for name, c := range map[string]struct {
		sources int
		runs    []phase.Enriched
		want    []string
	}{
		"no source":  {0, nil, nil},
		"done":       {1, []phase.Enriched{{Done: true}}, []string{"EnrichChunk", "EnrichNext", "EnrichDone"}},
		"time is up": {1, []phase.Enriched{{}, {Done: true}}, []string{"EnrichChunk", "EnrichNext", "EnrichChunk", "EnrichNext", "EnrichDone"}},
		"the source waits": {
			1,
			[]phase.Enriched{{WaitSeconds: 30}, {Done: true}},
			[]string{"EnrichChunk", "EnrichNext", "EnrichWait", "EnrichChunk", "EnrichNext", "EnrichDone"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSample(t, 10)
			s.sources, s.enriched = c.sources, c.runs
			var got []string
			walked(t, s, func(*state, []byte) {}, func(name, what string, _ []byte) {
				if what == "input" && strings.HasPrefix(name, "Enrich") && name != "Enrich" && name != "EnrichSource" {
					got = append(got, name)
				}
			})
			if !slices.Equal(got, c.want) {
				t.Errorf("the machine goes %v, want %v", got, c.want)
			}
		})
	}
}

// TestSteps: every state has a French step for operators.
func TestSteps(t *testing.T) {
	eachOf(t, func(name string, _ *state) {
		if etl.State(name).Step() == "" {
			t.Errorf("package etl knows no step for state %s", name)
		}
	})
}

// TestIndexed: every table that Plan creates is indexed, including events, before
// Publish locks readers out.
func TestIndexed(t *testing.T) {
	m := load(t)
	if got := m.States["IndexStaging"].ItemsPath; got != "$.plan.resources" {
		t.Errorf("IndexStaging goes over %s", got)
	}
	if got := m.States["IndexTargets"].ItemsPath; got != "$.plan.targets" {
		t.Errorf("IndexTargets goes over %s, so the events get their key in Publish, under its exclusive lock", got)
	}
}
