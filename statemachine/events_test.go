package statemachine_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/cfn"

	"etl-dataloader/internal/phase"
)

var update = flag.Bool("update", false, "rewrite functions/*/event.json")

// indented is JSON as the sample events are kept: members in the order of the
// Go structs, two spaces.
func indented(t *testing.T, v any) []byte {
	t.Helper()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// inputOf is the input struct of a function of the machine.
func inputOf(name string) any {
	switch name {
	case "open":
		return new(phase.OpenIn)
	case "scan":
		return new(phase.ScanIn)
	case "plan":
		return new(phase.PlanIn)
	case "protect", "transform":
		return new(phase.ChunkIn)
	case "enrich":
		return new(phase.EnrichIn)
	case "stage", "validate":
		return new(phase.StageIn)
	case "prepare":
		return new(phase.PrepareIn)
	case "index":
		return new(phase.IndexIn)
	case "crosscheck", "reconcile", "publish":
		return new(phase.ImportIn)
	case "migrate":
		return new(cfn.Event)
	default:
		return nil
	}
}

// TestSampleEvents: functions/<name>/event.json, with which a function is tried by hand,
// is what the machine sends: it decodes strictly, is unchanged by a round trip, and has
// the shape of the machine's own input.
func TestSampleEvents(t *testing.T) {
	sent := map[string][]byte{"migrate": migrateEvent(t)}
	walked(t, newSample(t, 30), func(s *state, input []byte) { sent[function(s)] = input }, func(string, string, []byte) {})
	if len(sent) != 14 {
		t.Fatalf("%d functions, want 14", len(sent))
	}
	for name, input := range sent {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("..", "functions", name, "event.json")
			wanted := inputOf(name)
			if err := strict(input, wanted); err != nil {
				t.Fatalf("the machine's own input: %v", err)
			}
			if *update {
				if err := os.WriteFile(path, indented(t, wanted), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			stored, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := inputOf(name)
			if err := strict(stored, got); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if again := indented(t, got); !bytes.Equal(again, stored) {
				t.Errorf("%s says something else after a round trip:\n%s", path, again)
			}
			if have, want := shape(value(t, stored)), shape(value(t, indented(t, wanted))); have != want {
				t.Errorf("%s has the members\n%s\nbut the machine sends\n%s\nrerun with -update and read the difference", path, have, want)
			}
		})
	}
}

// migrateEvent is what CloudFormation sends the custom resource of the schema.
func migrateEvent(t *testing.T) []byte {
	return text(t, cfn.Event{
		RequestType: cfn.RequestCreate, RequestID: "b1946ac9-2492-4d23-a47c-6235b4d26111",
		ResponseURL:  "https://cloudformation-custom-resource-response-euwest3.s3.eu-west-3.amazonaws.com/example",
		ResourceType: "Custom::DatabaseSchema", LogicalResourceID: "Schema",
		StackID: "arn:aws:cloudformation:eu-west-3:111122223333:stack/etl-dataloader/17793124-05d4-b198-2fde-7ededc63b103",
		ResourceProperties: map[string]any{
			"ServiceToken": "arn:aws:lambda:eu-west-3:111122223333:function:etl-dataloader-MigrateFunction", "Version": "3",
		},
	})
}

// shape lists the members of a value, without their content.
func shape(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var b strings.Builder
		b.WriteByte('{')
		for _, name := range slices.Sorted(maps.Keys(v)) {
			b.WriteString(name + ":" + shape(v[name]) + " ")
		}
		return b.String() + "}"
	case []any:
		if len(v) > 0 {
			return "[" + shape(v[0]) + "]"
		}
		return "[]"
	default:
		return "."
	}
}
