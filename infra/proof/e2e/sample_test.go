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

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// set is a folder with the ten files of a date.
type set struct {
	mode, date string // date as YYYY-MM-DD
	dir        string
}

// historyRows is how many clients the history has.
const historyRows = "2000"

// sample makes the ten files of a date with the generator, and plants canaries.
func (s *stack) sample(t *testing.T, mode, date string, options ...string) set {
	t.Helper()
	made := set{mode: mode, date: date, dir: filepath.Join(s.dir, mode+"-"+date)}
	arguments := append([]string{"-mode", mode, "-date", date, "-out", made.dir}, options...)
	if mode == "daily" {
		arguments = append(arguments, "-history-rows", historyRows)
	}
	s.run(t, filepath.Join(s.root, "build", "local", "sample"), arguments...)
	s.plantCanaries(t, made)
	return made
}

// renamed copies a set under another date: the same content, other names.
func (s *stack) renamed(t *testing.T, from set, date string) set {
	t.Helper()
	to := set{mode: from.mode, date: date, dir: filepath.Join(s.dir, from.mode+"-"+date)}
	if err := os.MkdirAll(to.dir, 0o750); err != nil {
		t.Fatal(err)
	}
	for _, name := range from.files(t) {
		write(t, to.path(strings.Replace(name, compact(from.date), compact(date), 1)), read(t, from.path(name)))
	}
	return to
}

func compact(date string) string { return strings.ReplaceAll(date, "-", "") }

func (f set) path(name string) string { return filepath.Join(f.dir, name) }

// files lists the names of the ten files.
func (f set) files(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if strings.Contains(e.Name(), "_"+compact(f.date)+".") {
			names = append(names, e.Name())
		}
	}
	if len(names) != 10 {
		t.Fatalf("%s holds %d files, want ten: %v", f.dir, len(names), names)
	}
	return names
}

// file returns the name of the file of a type, such as "client_data".
func (f set) file(t *testing.T, fileType string) string {
	t.Helper()
	for _, name := range f.files(t) {
		if strings.HasPrefix(name, fileType+"_") {
			return name
		}
	}
	t.Fatalf("%s holds no %s", f.dir, fileType)
	return ""
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path) //nolint:gosec // a file of the story
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
func (s *stack) run(t *testing.T, program string, arguments ...string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, arguments...) //nolint:gosec // a tool of the repository
	command.Dir = s.root
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %v: %v: %s", filepath.Base(program), arguments, err, complaints.String())
	}
	return out
}

// put uploads content to the landing bucket and returns its version.
func (s *stack) put(t *testing.T, key string, content []byte) (versionID string) {
	t.Helper()
	out, err := s.s3.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String(s.env["LANDING_BUCKET"]), Key: &key, Body: bytes.NewReader(content),
	})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.VersionId)
}

// upload uploads files of a set in a random order.
func (s *stack) upload(t *testing.T, from set, names ...string) {
	t.Helper()
	for _, i := range rand.Perm(len(names)) {
		s.put(t, from.mode+"/"+names[i], read(t, from.path(names[i])))
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
func (s *stack) judge(t *testing.T, of set, prior ...set) verdict {
	t.Helper()
	values := filepath.Join(s.dir, "values.jsonl")
	arguments := []string{filepath.Join("infra", "proof", "oracle", "oracle.py"), of.dir, "--values", values}
	for _, p := range prior {
		arguments = append(arguments, "--prior", p.dir)
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
