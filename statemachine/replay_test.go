package statemachine_test

import (
	"encoding/json"
	"slices"
	"testing"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/phase"
)

// replayStart is the input with which control starts a replay; its own test has the same.
const replayStart = `{"import":{"import_id":"` + importID + `","generation":1,"mode":"daily","file_date":"2024-10-08"},` +
	`"replay":2,"source":"","answer":{"turn":{"loops":0,"wait_seconds":0}},"progress":{"runs":0}}`

// TestReplay: a replay asks for its turn before every run of the function that asks, waits
// as long as it is told to, and goes on until it is done. Each function gets exactly what it
// decodes, and what it returned last.
func TestReplay(t *testing.T) {
	for name, c := range map[string]struct {
		turns []int // seconds to wait; then none
		runs  []phase.Replayed
		want  []string
	}{
		"done":           {nil, []phase.Replayed{{Done: true}}, []string{"ReplayTurn", "Replay", "ReplayDone"}},
		"a date waits":   {[]int{60}, []phase.Replayed{{Done: true}}, []string{"ReplayTurn", "ReplayTurnWait", "ReplayTurn", "Replay", "ReplayDone"}},
		"time is up":     {nil, []phase.Replayed{{}, {Done: true}}, []string{"ReplayTurn", "Replay", "ReplayTurn", "Replay", "ReplayDone"}},
		"source is down": {nil, []phase.Replayed{{WaitSeconds: 30}, {Done: true}}, []string{"ReplayTurn", "Replay", "ReplayWait", "ReplayTurn", "Replay", "ReplayDone"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			loops, runs := 0, 0
			w := &walk{t: t, see: func(name, what string, _ []byte) {
				if what == "input" && name != "ReplayTurnNext" && name != "ReplayNext" {
					got = append(got, name)
				}
			}}
			w.perform = func(name string, _ *state, input []byte) any {
				if name == "ReplayTurn" {
					var in control.Request
					if err := strict(input, &in); err != nil || in.Mode != etl.KindTurn || in.ImportID != importID || in.Replay != 2 || in.Loops != loops {
						t.Fatalf("turn %d: %s, %v", loops, input, err)
					}
					turn := control.Turn{Loops: in.Loops + 1}
					if loops < len(c.turns) {
						turn.WaitSeconds = c.turns[loops]
					}
					loops++
					return control.Answer{ImportID: importID, Kind: etl.KindTurn, Turn: &turn}
				}
				var in phase.ReplayIn
				if err := strict(input, &in); err != nil || in.Replay != 2 || in.Import.ImportID != importID || in.Progress.Runs != runs {
					t.Fatalf("run %d: %s, %v", runs, input, err)
				}
				out := c.runs[runs]
				runs++
				out.Runs = runs
				return out
			}
			w.run(loadFile(t, replayDefinition), value(t, []byte(replayStart)), map[string]any{"Execution": map[string]any{"RedriveCount": json.Number("1")}})
			if !slices.Equal(got, c.want) {
				t.Errorf("it goes %v, want %v", got, c.want)
			}
		})
	}
}
