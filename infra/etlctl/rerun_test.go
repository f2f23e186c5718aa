package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
)

// function is a Lambda function with one answer.
type function struct {
	asked  string
	answer string
	fault  string // function error; empty: none
	err    error
}

func (f *function) Invoke(_ context.Context, in *lambda.InvokeInput, _ ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	f.asked = aws.ToString(in.FunctionName) + string(in.Payload)
	out := &lambda.InvokeOutput{Payload: []byte(f.answer)}
	if f.fault != "" {
		out.FunctionError = &f.fault
	}
	return out, f.err
}

func TestRerun(t *testing.T) {
	request := control.Request{ImportID: importID, Mode: etl.KindRestart, Force: true, Trigger: etl.TriggerCommand}
	ok := &function{answer: `{"import_id":"` + importID + `","kind":"restart","status":"en cours","message":"Il redémarre."}`}
	answer, err := rerun(t.Context(), ok, "rerun", request)
	if err != nil || answer.Message != "Il redémarre." || answer.Kind != etl.KindRestart {
		t.Errorf("rerun = %+v, %v", answer, err)
	}
	if want := `rerun{"import_id":"` + importID + `","mode":"restart","force":true,"trigger":"command"}`; ok.asked != want {
		t.Errorf("asked %s, want %s", ok.asked, want)
	}

	for name, test := range map[string]struct {
		function function
		text     string // of a *refusedError; empty: another error
	}{
		"refused": {
			function{fault: "Unhandled", answer: `{"errorType":"Refused","errorMessage":"Import X : l'import est en cours"}`},
			"Demande refusée. Import X : l'import est en cours.",
		},
		"transient": {
			function{fault: "Unhandled", answer: `{"errorType":"Transient","errorMessage":"no answer"}`},
			"La demande n'a pas abouti (Transient) : no answer. Elle peut être répétée.",
		},
		"killed":     {function{fault: "Unhandled", answer: `signal: killed`}, "La demande n'a pas abouti (Unhandled) : signal: killed. Elle peut être répétée."},
		"no answer":  {function{err: errors.New("connection refused")}, ""},
		"no JSON":    {function{answer: `what?`}, ""},
		"empty body": {function{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := rerun(t.Context(), &test.function, "rerun", request)
			refused, ok := errors.AsType[*refusedError](err)
			if err == nil || ok != (test.text != "") {
				t.Fatalf("error %v", err)
			}
			if ok && refused.Error() != test.text {
				t.Errorf("%q, want %q", strings.TrimSpace(refused.Error()), test.text)
			}
		})
	}
}

// What is accepted, and who accepts it, is asked for as it was given, a value with
// a comma included.
func TestRerunAccepts(t *testing.T) {
	var cli struct {
		Redrive redriveCommand `cmd:""`
	}
	parser, err := kong.New(&cli, kong.Vars(textHelp()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"redrive", importID, "--accept", "shrink=produits", "--accept", "shrink=magasins,stocks"}); err != nil {
		t.Fatal(err)
	}
	f := &function{answer: `{}`}
	if _, err := rerun(t.Context(), f, "rerun", control.Request{ImportID: importID, Mode: etl.KindResume, Accept: cli.Redrive.Accept, By: "arn:anne"}); err != nil {
		t.Fatal(err)
	}
	if want := `rerun{"import_id":"` + importID + `","mode":"resume","accept":["shrink=produits","shrink=magasins,stocks"],"by":"arn:anne"}`; f.asked != want {
		t.Errorf("asked %s, want %s", f.asked, want)
	}
}
