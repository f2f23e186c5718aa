//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestCrash: functions die with sensitive values in memory, the way Go ends a
// program that it cannot go on with: with the stacks of all goroutines on standard
// error. The machine tries them again.
func TestCrash(t *testing.T) {
	baseline(t).crash(t)
}

// crash publishes a day on which a function of each kind that computes has died.
func (sc *scenario) crash(t *testing.T) {
	t.Helper()
	defer sc.fault(t, "DisarmFault", nil)
	of := sc.day(t, "-rows", "60", "-seed", "16")
	for i, function := range []string{"ProtectFunction", "EnrichFunction", "TransformFunction"} {
		sc.fault(t, "ArmFault", map[string]any{"kind": "hold_put", "function": function})
		if i == 0 {
			sc.upload(t, of, of.files(t)...)
		}
		until(t, function+" to write", func() (bool, error) { return sc.fault(t, "DescribeFault", nil) > 0, nil })
		if n := sc.quit(t, function); n == 0 {
			t.Errorf("no process of %s was there to crash", function)
		}
	}
	sc.fault(t, "DisarmFault", nil)
	sc.settle(t, of, 1)
}

// fault asks the emulator for one of its faults on demand and returns how many
// calls it holds.
func (s *system) fault(t *testing.T, action string, in map[string]any) int {
	t.Helper()
	var out struct{ Held int }
	if in == nil {
		in = map[string]any{}
	}
	s.call(t, "AWSStepFunctions."+action, in, &out)
	return out.Held
}

// quit ends the processes of a function, which the emulator started, by the signal
// upon which Go prints the stacks, and returns how many there were.
func (s *system) quit(t *testing.T, function string) int {
	t.Helper()
	name := s.function(t, function)
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.Processes.Emulator))
	if err != nil || len(lists) == 0 {
		t.Fatalf("no processes of the emulator: %v", err)
	}
	ended := 0
	for _, list := range lists {
		text, err := os.ReadFile(list) //nolint:gosec // a file of /proc
		if err != nil {
			continue // the thread ended meanwhile
		}
		for field := range strings.FieldsSeq(string(text)) {
			environment, err := os.ReadFile(filepath.Join("/proc", field, "environ"))
			if err != nil || !strings.Contains(string(environment), "AWS_LAMBDA_FUNCTION_NAME="+name+"\x00") {
				continue // it ended meanwhile, or is another function's
			}
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
				t.Fatalf("end process %d of %s: %v", pid, function, err)
			}
			ended++
		}
	}
	return ended
}
