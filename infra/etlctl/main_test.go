package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/google/go-cmp/cmp"

	"etl-dataloader/internal/postgres/postgrestest"
)

var server *postgrestest.Server

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(postgrestest.Run(m.Run, func(s *postgrestest.Server) { server = s }))
}

var update = flag.Bool("update", false, "rewrite golden files")

// compare compares what write writes with a golden file.
func compare(t *testing.T, golden string, write func(*console)) {
	t.Helper()
	var got bytes.Buffer
	write(&console{out: &got, err: &got})
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s differs; rerun with -update and read the diff:\n%s", golden, diff)
	}
}

// command runs a command line in an environment of its own; no service answers.
func command(t *testing.T, environment map[string]string, arguments ...string) (exit int, out, errs string) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "",
		"AWS_PROFILE": "", "ETL_STACK": "", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	for name, value := range environment {
		t.Setenv(name, value)
	}
	var stdout, stderr bytes.Buffer
	w := newWorld()
	exit = run(arguments, console{
		out: &stdout, err: &stderr, now: w.now, pause: w.pause,
		settings: settings{lookup: func(name string) (string, bool) { v, ok := environment[name]; return v, ok }},
	})
	return exit, stdout.String(), stderr.String()
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	full := map[string]string{
		"LANDING_BUCKET": "l", "WORK_BUCKET": "w", "REGISTRY_TABLE": "r", "CONTROL_API": "f",
		"DATABASE_URL": "postgresql://127.0.0.1:1/none",
	}
	for name, test := range map[string]struct {
		environment map[string]string
		arguments   []string
		exit        int
		text        string // in the output
	}{
		"nothing":             {nil, nil, exitOK, "Utilisation : etlctl <commande>"},
		"help":                {nil, []string{"--help"}, exitOK, "Commandes :"},
		"help of a command":   {nil, []string{"import", "-h"}, exitOK, "--dir=DOSSIER"},
		"unknown command":     {nil, []string{"imports"}, exitUsage, "argument inattendu imports"},
		"unknown flag":        {nil, []string{"status", "--all"}, exitUsage, "option inconnue --all"},
		"no folder":           {nil, []string{"import", "--mode", "daily"}, exitUsage, "options manquantes"},
		"no such mode":        {nil, []string{"import", "--mode", "weekly", "--dir", dir}, exitUsage, "doit être parmi"},
		"bad date":            {nil, []string{"import", "--mode", "daily", "--dir", dir, "--date", "2024-13-01"}, exitUsage, textBadDate},
		"bad timeout":         {nil, []string{"status", "--timeout", "soon"}, exitUsage, "--timeout"},
		"no settings":         {nil, []string{"import", "--mode", "daily", "--dir", dir}, exitUsage, textNoSetting("LANDING_BUCKET")},
		"no table":            {nil, []string{"status"}, exitUsage, textNoSetting("REGISTRY_TABLE")},
		"no API":              {map[string]string{"REGISTRY_TABLE": "r", "WORK_BUCKET": "w"}, []string{"redrive", importID}, exitUsage, textNoSetting("CONTROL_API")},
		"no region":           {map[string]string{"AWS_REGION": ""}, []string{"status"}, exitUsage, textNoRegion},
		"no database":         {nil, []string{"errors", importID}, exitUsage, textNoDatabase},
		"empty folder":        {full, []string{"import", "--mode", "daily", "--dir", dir}, exitUsage, textNoFiles(dir)},
		"no import_id":        {full, []string{"redrive", ""}, exitUsage, textNoImportID},
		"no import_id, again": {full, []string{"errors", ""}, exitUsage, textNoImportID},
		"no such stack":       {nil, []string{"status", "--stack", "mine"}, exitUsage, "mine"},
		"no reason":           {full, []string{"reveal", "clients", "--where", "client_id=1", "--fields", "email"}, exitUsage, "options manquantes"},
		"no condition":        {full, []string{"reveal", "clients", "--fields", "email", "--reason", "r"}, exitUsage, textBadWhere},
		"half a line":         {full, []string{"reveal", "--raw", importID, "f.csv", "--reason", "r"}, exitUsage, textBadRaw},
		"a line of words":     {full, []string{"reveal", "--raw", importID, "f.csv", "x", "--reason", "r"}, exitUsage, textBadLine("x")},
		"two forms":           {full, []string{"reveal", "clients", "--event", "e", "--reason", "r"}, exitUsage, textBadReveal},
		"API is down":         {full, []string{"reveal", "--event", "e", "--reason", "r"}, exitFailed, "Échec"},
		"API is down, again":  {full, []string{"find", "client_id", "4242"}, exitFailed, "Échec"},
		"registry is down":    {full, []string{"status"}, exitFailed, "Échec"},
		"function is down":    {full, []string{"abandon", importID}, exitFailed, "Échec"},
		"database is down":    {full, []string{"errors", importID}, exitFailed, "Échec"},
	} {
		t.Run(name, func(t *testing.T) {
			exit, out, errs := command(t, test.environment, test.arguments...)
			if exit != test.exit || !strings.Contains(out+errs, test.text) {
				t.Errorf("exit status %d, want %d; output %q%q, want %q", exit, test.exit, out, errs, test.text)
			}
			if exit != exitOK && out != "" {
				t.Errorf("a failure wrote to the output: %q", out)
			}
		})
	}
}

// stackOutputs is CloudFormation with one stack.
type stackOutputs struct {
	outputs map[string]string
	given   map[string]string // parameters
	err     error
	reads   int
}

func (s *stackOutputs) DescribeStacks(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error) {
	s.reads++
	var stack types.Stack
	for name, value := range s.outputs {
		stack.Outputs = append(stack.Outputs, types.Output{OutputKey: aws.String(name), OutputValue: aws.String(value)})
	}
	for name, value := range s.given {
		stack.Parameters = append(stack.Parameters, types.Parameter{ParameterKey: aws.String(name), ParameterValue: aws.String(value)})
	}
	return &cloudformation.DescribeStacksOutput{Stacks: []types.Stack{stack}}, s.err
}

// The parameters that change what a date waits for come from where the other
// settings do.
func TestRulesOfTheStack(t *testing.T) {
	set := func(name string) (string, bool) {
		return "true", name == "NO_HISTORY"
	}
	if s := (settings{lookup: set}); !s.is("NO_HISTORY") || s.is("REQUIRE_CONTROL") {
		t.Error("the environment does not count")
	}
	s := settings{lookup: set, stack: "mine"}
	if err := s.readStack(t.Context(), &stackOutputs{given: map[string]string{"NoHistory": "false", "RequireControl": "true"}}); err != nil {
		t.Fatal(err)
	}
	if s.is("NO_HISTORY") || !s.is("REQUIRE_CONTROL") {
		t.Error("the parameters of the stack do not count")
	}
}

func TestSettingsOfAStack(t *testing.T) {
	s := settings{stack: "mine", lookup: func(string) (string, bool) { return "from the environment", true }}
	reader := &stackOutputs{outputs: map[string]string{"LandingBucket": "bucket"}}
	for range 2 {
		if err := s.readStack(t.Context(), reader); err != nil {
			t.Fatal(err)
		}
	}
	if v, err := s.get("LANDING_BUCKET"); v != "bucket" || err != nil || reader.reads != 1 {
		t.Errorf("LANDING_BUCKET = %q, %v after %d reads", v, err, reader.reads)
	}
	if _, err := s.get("WORK_BUCKET"); !errors.As(err, new(*usageError)) {
		t.Errorf("an output that is missing: %v", err)
	}
	s = settings{stack: "mine"}
	if err := s.readStack(t.Context(), &stackOutputs{err: errors.New("no such stack")}); !errors.As(err, new(*usageError)) {
		t.Errorf("a stack that is missing: %v", err)
	}
	s = settings{}
	if err := s.readStack(t.Context(), reader); err != nil || reader.reads != 1 {
		t.Errorf("no stack: %v", err)
	}
}
