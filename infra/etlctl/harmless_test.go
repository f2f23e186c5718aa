package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/message"
	"etl-dataloader/internal/precheck"
	"etl-dataloader/internal/registry"
)

// hostileNames are names that a file may have, and that a terminal would act upon.
func hostileNames() map[string]string {
	return map[string]string{
		"line feed":     "client_data_20241008.csv\nImport IMPORT_1 : « réussi »",
		"window title":  "\x1b]0;titre\a.csv",
		"colour":        "\x1b[31mclient_data.csv",
		"C1 introducer": "a\u009b31m.csv",
		"next line":     "a\u0085b.csv",
		"right to left": "client_data_\u202evsc.exe",
		"separator":     "a\u2028b.csv",
		"longest":       strings.Repeat("\x1b", 251) + ".csv",
	}
}

// harmless reports whether a terminal shows a text as it is, line by line.
func harmless(text string) bool { return message.VisibleLines(text) == text }

// TestCheckHostileNames: what `contract check` prints of a file's name does nothing
// to a terminal and writes no line of its own, and its JSON is JSON with that name.
func TestCheckHostileNames(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "unknown.csv")
	paths := map[string]string{"plain": plain}
	for kind, name := range hostileNames() {
		paths[kind] = filepath.Join(dir, name)
	}
	lines := func(text string) int { return strings.Count(text, "\n") }
	_, _, noFile := command(t, nil, "contract", "check", plain)
	want := map[string]int{"missing": lines(noFile)}
	for _, kind := range append([]string{"plain"}, keysOf(hostileNames())...) {
		path := paths[kind]
		missing, _, errs := command(t, nil, "contract", "check", path)
		if missing != exitUsage || !harmless(errs) || lines(errs) != want["missing"] {
			t.Errorf("%s, no such file: %d, %q", kind, missing, errs)
		}
		if err := os.WriteFile(path, []byte(storeHeader+soundStore), 0o600); err != nil {
			t.Fatal(err)
		}
		exit, out, errs := command(t, nil, "contract", "check", path)
		if kind == "plain" {
			want["found"] = lines(out)
		}
		if exit != exitFaulty || !harmless(out+errs) || lines(out) != want["found"] {
			t.Errorf("%s: %d, %q, %q", kind, exit, out, errs)
		}
		_, out, _ = command(t, nil, "contract", "check", "--format", "json", path)
		var got struct{ Files []precheck.Result }
		if err := json.Unmarshal([]byte(out), &got); err != nil || len(got.Files) != 1 || !harmless(out) {
			t.Fatalf("%s as JSON: %v in %q", kind, err, out)
		}
		if got.Files[0].File != strings.ToValidUTF8(filepath.Base(path), "\ufffd") {
			t.Errorf("%s as JSON: %q", kind, got.Files[0].File)
		}
	}
}

func keysOf(names map[string]string) (keys []string) {
	for key := range names {
		keys = append(keys, key)
	}
	return keys
}

// TestFolderHostileNames: so does what `import` says of the files of a folder, and
// what it is given as arguments.
func TestFolderHostileNames(t *testing.T) {
	dir := t.TempDir()
	for _, name := range hostileNames() {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "client_data_20241008.csv"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := readFolder(dir, daily, date, names(t))
	if err != nil || len(found.Left) != len(hostileNames()) {
		t.Fatalf("%d files are left, %v", len(found.Left), err)
	}
	for _, text := range found.Left {
		if message.Visible(text) != text {
			t.Errorf("%q", text)
		}
	}
	hostile := "\x1b]0;titre\a\u202e\n« réussi »" + strings.Repeat("k", 1024)
	full := map[string]string{"LANDING_BUCKET": "l", "WORK_BUCKET": "w", "REGISTRY_TABLE": "r", "CONTROL_API": "f", "DATABASE_URL": "postgresql://127.0.0.1:1/none"}
	for _, arguments := range [][]string{
		{"import", "--mode", "daily", "--dir", hostile},
		{"import", "--mode", hostile, "--dir", dir},
		{"status", hostile},
		{"redrive", hostile},
		{"errors", hostile},
		{"contract", "check", hostile},
		{"contract", "check", filepath.Join(dir, "client_data_20241008.csv"), "--descriptor", hostile},
		{"--stack", hostile, "status"},
		{hostile},
	} {
		exit, out, errs := command(t, full, arguments...)
		if exit == exitOK || !harmless(out+errs) || strings.Contains(out+errs, "\n« réussi »") {
			t.Errorf("%q: %d, %q, %q", arguments[0], exit, out, errs)
		}
	}
}

// TestShowHostileTexts: so does what the registry holds, which others wrote.
func TestShowHostileTexts(t *testing.T) {
	hostile := "\x1b]0;titre\a\u202e\nStatut : réussi" + strings.Repeat("k", 1024)
	s := halfWay()
	s.Import = failed(importID, "Transient", "redrive", true)
	s.Import.Reason, s.Import.Step = hostile, etl.Step(hostile)
	s.Files[0].Key, s.Files[0].Status, s.Files[1].Resource, s.Files[1].Key = "daily/"+hostile, etl.FileStatus(hostile), hostile, ""
	s.States[0].Step = etl.Step(hostile)
	s.Sources[0].Source, s.Sources[0].Failed = hostile, map[string]int64{hostile: 1}
	for i := range s.Attempts {
		s.Attempts[i].FailedReason, s.Attempts[i].Kind = hostile, etl.Kind(hostile)
	}
	for name, live := range map[string]bool{"lines": false, "bars": true} {
		var out, bar bytes.Buffer
		c := &console{out: &out, err: &out, now: func() time.Time { return at(1) }}
		if live {
			c.live = &bar
		}
		flush := c.harmless()
		c.showImport(s, "work")
		show := newDisplay(c)
		show.note(textEarlierFailed(importID, etl.Status(hostile), etl.Step(hostile), hostile))
		show.uploading(1, 1, textUploaded(hostile, "1 o"))
		show.stop()
		found{Imports: []listed{{ImportID: importID, Step: etl.Step(hostile), Status: etl.Status(hostile)}}, Waiting: []waitingDate{{Reason: hostile}}}.write(c)
		c.fail(errors.New(hostile))
		c.fail(&refusedError{Name: "Refused", Text: hostile})
		c.fail(&refusedError{Name: hostile, Text: hostile})
		c.say(textUnusedFiles(importID, []string{hostile, hostile}))
		flush()
		if text := out.String(); !harmless(text) || strings.Contains(text, "\nStatut") || !strings.Contains(text, `\u001b]0;titre`) {
			t.Errorf("%s: harmless: %t, a line of its own: %t, escaped: %t", name, harmless(text), strings.Contains(text, "\nStatut"), strings.Contains(text, `\u001b]0;titre`))
		}
		if strings.Contains(bar.String(), "titre") {
			t.Errorf("%s: a bar shows %q", name, bar.String())
		}
		out.Reset()
		if err := writeJSON(c, registry.Attempt{FailedReason: hostile}); err != nil {
			t.Fatal(err)
		}
		var got registry.Attempt
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || got.FailedReason != hostile || !harmless(out.String()) {
			t.Errorf("as JSON: %v, %q", err, out.String())
		}
	}
}

// TestHarmlessWriter: a text that comes in pieces is written as if it came at once.
func TestHarmlessWriter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
		if rapid.Bool().Draw(t, "valid") {
			text = []byte(rapid.String().Draw(t, "text"))
		}
		var out bytes.Buffer
		w := &harmlessWriter{out: &out}
		for left := text; len(left) > 0; {
			n := rapid.IntRange(1, len(left)).Draw(t, "piece")
			if written, err := w.Write(left[:n]); written != n || err != nil {
				t.Fatalf("%d, %v", written, err)
			}
			left = left[n:]
		}
		w.flush()
		if want := message.VisibleLines(string(text)); out.String() != want {
			t.Fatalf("%q, want %q", out.String(), want)
		}
	})
}
