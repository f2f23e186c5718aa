package stack

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestOpen(t *testing.T) {
	folder := t.TempDir()
	if _, err := Open(folder); err == nil {
		t.Error("a stack that was never started is opened")
	}
	write(t, filepath.Join(folder, "env"), "AWS_ENDPOINT_URL=http://127.0.0.1:1\nSTATE_MACHINE_ARN=arn:aws:states:eu-west-1:0:stateMachine:etl-x-import\nQUERY=a=b\n")
	write(t, filepath.Join(folder, "stack.json"), `{"postgres_port": 5}`)
	if _, err := Open(folder); err == nil {
		t.Error("a stack that is down is opened")
	}
	write(t, filepath.Join(folder, "stack.json"), `{"emulator_pid": 7, "postgres_port": 5, "postgres_password": "p/w"}`)
	s, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "etl-x" || s.Env["QUERY"] != "a=b" || s.Processes.Emulator != 7 {
		t.Errorf("%q, %v, %d", s.Name, s.Env, s.Processes.Emulator)
	}
	if got := s.Superuser("etl"); got != "postgresql://postgres:p%2Fw@127.0.0.1:5/etl?sslmode=disable" {
		t.Error(got)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestEnvironment(t *testing.T) {
	inherited := []string{"PATH=/bin", "DATABASE_URL=d", "AWS_ENDPOINT_URL=e", "LOCAL_PARAMETERS=A=1"}
	plain := Settings{Folder: "f", Name: "n"}.environment(inherited)
	if want := []string{"PATH=/bin", "LOCAL_PARAMETERS=A=1", "LOCAL_DIR=f", "LOCAL_STACK_NAME=n"}; !slices.Equal(plain, want) {
		t.Errorf("%q, want %q", plain, want)
	}
	chosen := Settings{Parameters: "B=2", Environment: []string{"SFN_WAIT_SCALE=0"}}.environment(inherited)
	if !slices.Equal(chosen[len(chosen)-2:], []string{"LOCAL_PARAMETERS=B=2", "SFN_WAIT_SCALE=0"}) {
		t.Errorf("%q", chosen)
	}
}

func TestCall(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("X-Amz-Target") {
		case "Logs.Describe":
			_, _ = w.Write([]byte(`{"Name": "a"}`))
		case "Logs.Broken":
			_, _ = w.Write([]byte(`{`))
		case "Logs.Refused":
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer server.Close()
	s := &Stack{Env: map[string]string{"AWS_ENDPOINT_URL": server.URL}}
	var out struct{ Name string }
	if err := s.Call(t.Context(), "Logs.Describe", map[string]any{}, &out); err != nil || out.Name != "a" {
		t.Errorf("%q, %v", out.Name, err)
	}
	if err := s.Call(t.Context(), "Logs.Empty", nil, nil); err != nil {
		t.Error(err)
	}
	for _, target := range []string{"Logs.Broken", "Logs.Refused"} {
		if err := s.Call(t.Context(), target, nil, &out); err == nil {
			t.Errorf("%s is no error", target)
		}
	}
}

func TestOutputs(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.FormValue("StackName") {
		case "etl":
			_, _ = w.Write([]byte(`<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member>
				<StackName>etl</StackName><Outputs>
				<member><OutputKey>WorkBucket</OutputKey><OutputValue>w</OutputValue></member>
				<member><OutputKey>LogGroup</OutputKey><OutputValue>/l</OutputValue></member>
				</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`))
		case "broken":
			_, _ = w.Write([]byte(`<DescribeStacksResponse>`))
		default:
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer server.Close()
	s := &Stack{Name: "etl", Env: map[string]string{"AWS_ENDPOINT_URL": server.URL}}
	outputs, err := s.Outputs(t.Context())
	if err != nil || len(outputs) != 2 || outputs["WorkBucket"] != "w" || outputs["LogGroup"] != "/l" {
		t.Errorf("%v, %v", outputs, err)
	}
	for _, name := range []string{"broken", "unknown"} {
		s.Name = name
		if outputs, err := s.Outputs(t.Context()); err == nil {
			t.Errorf("the outputs of %s are %v", name, outputs)
		}
	}
}

func TestWait(t *testing.T) {
	looks := 0
	if err := Wait(t.Context(), "three looks", time.Minute, func() (bool, error) { looks++; return looks == 3, nil }); err != nil || looks != 3 {
		t.Errorf("%d looks, %v", looks, err)
	}
	never := errors.New("never")
	if err := Wait(t.Context(), "it", time.Minute, func() (bool, error) { return false, never }); !errors.Is(err, never) {
		t.Error(err)
	}
	if err := Wait(t.Context(), "it", time.Nanosecond, func() (bool, error) { return false, nil }); err == nil || !strings.Contains(err.Error(), "waiting for it: not within 1ns") {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Wait(ended, "it", time.Minute, func() (bool, error) { return false, nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestSet(t *testing.T) {
	set := Set{Mode: "daily", Date: "2024-10-08", Folder: t.TempDir()}
	if err := os.Mkdir(set.Path("sound"), 0o750); err != nil {
		t.Fatal(err)
	}
	types := []string{"a_data", "b_data", "c_data", "d_data", "e_data", "f_data", "g_data", "h_data", "i_data", "client_data"}
	for _, fileType := range types {
		if _, err := set.Files(); err == nil {
			t.Error("less than ten files are a set")
		}
		write(t, set.Path(fileType+"_20241008.csv"), fileType)
		write(t, set.Path(fileType+"_20241009.csv"), "of another date")
	}
	name, err := set.File("client_data")
	if err != nil || name != "client_data_20241008.csv" {
		t.Errorf("%q, %v", name, err)
	}
	if _, err := set.File("client"); err == nil {
		t.Error("a file of no type is found")
	}
	if size, err := set.Size(); err != nil || size != int64(len(strings.Join(types, ""))) {
		t.Errorf("%d bytes, %v", size, err)
	}
}

func TestDenied(t *testing.T) {
	s := &Stack{Folder: t.TempDir(), Name: "etl"}
	if _, err := s.Denied(); err == nil {
		t.Error("what was not recorded counts as not denied")
	}
	if err := os.Mkdir(filepath.Join(s.Folder, "emulator"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(s.Folder, "emulator", "permissions.jsonl"), `{"principal": "etl-ScanRole", "action": "s3:GetObject", "resource": "r", "context": {}, "allowed": true}
{"principal": "etl-ScanRole", "action": "s3:PutObject", "resource": "r", "context": {}, "allowed": false}
{"principal": "somebody", "action": "s3:PutObject", "resource": "r", "context": {}, "allowed": false}
`)
	denied, err := s.Denied()
	if want := []string{"etl-ScanRole: s3:PutObject on r"}; err != nil || !slices.Equal(denied, want) {
		t.Errorf("%q, %v, want %q", denied, err, want)
	}
}
