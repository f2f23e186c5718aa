package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// clockTicks is the unit of CPU times in /proc, a hundredth of a second on every
// Linux that Go runs on (getconf CLK_TCK).
const clockTicks = 100

// process is what /proc/<pid>/stat tells of one.
type process struct {
	pid     int
	started string  // ticks since the machine started: with the pid it names a process
	cpu     float64 // seconds, of the process itself
	reaped  float64 // seconds, of its children that ended and were waited for
}

// readProcess reads one process.
func readProcess(pid int) (process, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, err
	}
	// The name, in parentheses, may hold anything; fields count from after it.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const userTime, started = 11, 19 // proc(5), less the three up to the state
	if len(fields) <= started {
		return process{}, fmt.Errorf("/proc/%d/stat is too short", pid)
	}
	p := process{pid: pid, started: fields[started]}
	var ticks [4]float64
	for i := range ticks {
		if ticks[i], err = strconv.ParseFloat(fields[userTime+i], 64); err != nil {
			return process{}, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
	}
	p.cpu, p.reaped = (ticks[0]+ticks[1])/clockTicks, (ticks[2]+ticks[3])/clockTicks
	return p, nil
}

// children returns the processes that a process started and that live. They are
// listed by the thread that started them.
func children(parent int) []process {
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	if err != nil {
		return nil
	}
	var found []process
	for _, list := range lists {
		text, err := os.ReadFile(list) //nolint:gosec // a file of /proc
		if err != nil {
			continue // the thread ended meanwhile
		}
		for field := range strings.FieldsSeq(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				continue
			}
			if p, err := readProcess(pid); err == nil {
				found = append(found, p)
			}
		}
	}
	return found
}

// peakRSS is the most memory that a process ever had resident, in bytes.
func peakRSS(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			if err != nil {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}

// environment is a variable that a process was started with.
func environment(pid int, name string) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return ""
	}
	for pair := range bytes.SplitSeq(text, []byte{0}) {
		if value, ok := bytes.CutPrefix(pair, []byte(name+"=")); ok {
			return string(value)
		}
	}
	return ""
}

// title is the command line of a process, which PostgreSQL rewrites.
func title(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(bytes.ReplaceAll(text, []byte{0}, []byte{' '})))
}

// socketOf is the inode of the client's end of a connection over 127.0.0.1, by
// its port; empty if there is none.
func socketOf(port int) string {
	text, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return ""
	}
	local := fmt.Sprintf("0100007F:%04X", port)
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 9 && fields[1] == local {
			return fields[9]
		}
	}
	return ""
}

// hasSocket tells whether a process holds a socket.
func hasSocket(pid int, inode string) bool {
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		return false
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == "socket:["+inode+"]" {
			return true
		}
	}
	return false
}
