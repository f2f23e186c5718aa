//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"etl-dataloader/infra/proof/stack"
)

// set is a folder with the ten files of a date.
type set struct{ stack.Set }

// historyRows is how many clients the history has.
const historyRows = "2000"

// sample makes the ten files of a date with the generator, and plants canaries.
func (s *system) sample(t *testing.T, mode, date string, options ...string) set {
	t.Helper()
	made := set{stack.Set{Mode: mode, Date: date, Folder: s.folder(mode, date)}}
	if mode == "daily" {
		options = append(options, "-history-rows", historyRows)
	}
	if err := made.Make(t.Context(), options...); err != nil {
		t.Fatal(err)
	}
	s.plantCanaries(t, made)
	return made
}

// renamed copies a set under another date: the same content, other names. Its
// folder takes no date.
func (s *system) renamed(t *testing.T, from set, date string) set {
	t.Helper()
	to := set{stack.Set{Mode: from.Mode, Date: date, Folder: s.folder("renamed", date)}}
	if err := os.MkdirAll(to.Folder, 0o750); err != nil {
		t.Fatal(err)
	}
	for _, name := range from.files(t) {
		write(t, to.path(strings.Replace(name, compact(from.Date), compact(date), 1)), read(t, from.path(name)))
	}
	return to
}

func compact(date string) string { return strings.ReplaceAll(date, "-", "") }

func (f set) path(name string) string { return f.Path(name) }

// files lists the names of the ten files.
func (f set) files(t *testing.T) []string {
	t.Helper()
	names, err := f.Files()
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// file returns the name of the file of a type, such as "client_data".
func (f set) file(t *testing.T, fileType string) string {
	t.Helper()
	name, err := f.File(fileType)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path) //nolint:gosec // a file of the test
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs a program of the repository and returns its output.
func (s *system) run(t *testing.T, program string, arguments ...string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, arguments...) //nolint:gosec // a tool of the repository
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %v: %v: %s", filepath.Base(program), arguments, err, complaints.String())
	}
	return out
}

// put uploads content to the landing bucket and returns its version.
func (s *system) put(t *testing.T, key string, content []byte) (versionID string) {
	t.Helper()
	versionID, err := s.Put(t.Context(), key, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return versionID
}

// upload uploads files of a set in a random order.
func (s *system) upload(t *testing.T, from set, names ...string) {
	t.Helper()
	names = slices.Clone(names)
	rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	if err := s.Upload(t.Context(), from.Set, names...); err != nil {
		t.Fatal(err)
	}
}

// others are the files of a set without some types.
func (f set) others(t *testing.T, without ...string) []string {
	t.Helper()
	return slices.DeleteFunc(f.files(t), func(name string) bool {
		return slices.ContainsFunc(without, func(fileType string) bool { return strings.HasPrefix(name, fileType+"_") })
	})
}

// verdict is what the oracle says of a set.
type verdict struct {
	Files map[string]struct { // by resource
		File     string
		Fault    string
		Read     int64
		Valid    int64
		Rejected int64
		Rejects  []struct {
			Line   int64
			Errors [][2]string // field and rule
		}
	}
	values map[string][]value // the valid records by resource
}

// value is a valid record as the oracle reads it.
type value struct {
	Resource, File string
	Line           int64
	Key            []string
	Target         map[string]any // text, bool or nil by target column
}

// judge asks the oracle about a set, after the sets published before it.
func (s *system) judge(t *testing.T, of set, prior ...set) verdict {
	t.Helper()
	values := filepath.Join(s.dir, "values.jsonl")
	arguments := []string{filepath.Join("infra", "proof", "oracle", "oracle.py"), of.Folder, "--values", values}
	for _, p := range prior {
		arguments = append(arguments, "--prior", p.Folder)
	}
	v := verdict{values: map[string][]value{}}
	if err := json.Unmarshal(s.run(t, "python3", arguments...), &v); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(read(t, values)))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var r value
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		v.values[r.Resource] = append(v.values[r.Resource], r)
	}
	if lines.Err() != nil {
		t.Fatal(lines.Err())
	}
	return v
}
