package fault_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
)

// errPlain is an error that is no fault.
var errPlain = errors.New("plain")

func transient() error { return &fault.Transient{Op: "read s3://b/k", Err: io.ErrUnexpectedEOF} }
func mismatch() error  { return &fault.Mismatch{ImportID: "I", Reason: "r"} }

func denied() error { return &fault.AccessDenied{Op: "o", Action: "s3:GetObject", Err: errPlain} }

// lifting is what becomes of an error at the boundary.
var lifting = map[string]struct {
	err    error
	name   etl.Fault
	advice fault.Advice
}{
	"plain":                           {errPlain, "Unexpected", fault.Redrive},
	"wrapped plain":                   {fmt.Errorf("x: %w", errPlain), "Unexpected", fault.Redrive},
	"transient":                       {transient(), "Transient", fault.Redrive},
	"wrapped transient":               {fmt.Errorf("a: %w", fmt.Errorf("b: %w", transient())), "Transient", fault.Redrive},
	"missing files":                   {&fault.MissingFiles{ImportID: "I", Missing: []string{"client_data"}}, "MissingFiles", fault.Redrive},
	"invalid file":                    {&fault.InvalidFile{Files: []fault.RefusedFile{{File: "f", Reason: "r"}}}, "InvalidFile", fault.Restart},
	"superseded":                      {&fault.Superseded{ImportID: "I", Generation: 2}, "Superseded", fault.None},
	"incompatible":                    {&fault.Incompatible{Object: "k", Reason: "r"}, "Incompatible", fault.Restart},
	"of an older definition":          {&fault.Incompatible{Object: "k", Reason: "r", Continue: true}, "Incompatible", fault.Continue},
	"implausible":                     {&fault.Implausible{ImportID: "I", Tables: []fault.Shrink{{Resource: "r", Before: 2}}}, "Implausible", fault.Redrive},
	"budget exceeded":                 {&fault.BudgetExceeded{ImportID: "I", Files: []string{"f"}}, "BudgetExceeded", fault.Redrive},
	"too many records":                {&fault.TooManyRecords{ImportID: "I", Records: 2, Limit: 1}, "TooManyRecords", fault.Restart},
	"token key changed":               {&fault.TokenKeyChanged{ImportID: "I", First: "J"}, "TokenKeyChanged", fault.Restart},
	"mismatch":                        {mismatch(), "Mismatch", fault.Restart},
	"access denied":                   {denied(), "AccessDenied", fault.Redrive},
	"transient caused by a denial":    {&fault.Transient{Op: "x", Err: denied()}, "AccessDenied", fault.Redrive},
	"key unusable":                    {&fault.KeyUnusable{Op: "o", State: fault.KeyDisabled, Err: errPlain}, "KeyUnusable", fault.Redrive},
	"refused":                         {&fault.Refused{ImportID: "I", Reason: "r"}, "Refused", fault.None},
	"unexpected":                      {&fault.Unexpected{Err: errPlain}, "Unexpected", fault.Redrive},
	"wrapped stop":                    {fmt.Errorf("x: %w", mismatch()), "Mismatch", fault.Restart},
	"transient joined to a stop":      {errors.Join(transient(), mismatch()), "Mismatch", fault.Restart},
	"stop joined to a transient":      {errors.Join(mismatch(), transient()), "Mismatch", fault.Restart},
	"two wrapped":                     {fmt.Errorf("%w and %w", transient(), fmt.Errorf("x: %w", mismatch())), "Mismatch", fault.Restart},
	"transient caused by a stop":      {&fault.Transient{Op: "x", Err: mismatch()}, "Mismatch", fault.Restart},
	"transient joined to plain":       {errors.Join(errPlain, transient()), "Transient", fault.Redrive},
	"deadline outside any fault":      {context.DeadlineExceeded, "Unexpected", fault.Redrive},
	"stop caused by a transient":      {&fault.Unexpected{Err: transient()}, "Unexpected", fault.Redrive},
	"formatted without wrapping %v":   {fmt.Errorf("x: %v", mismatch()), "Unexpected", fault.Redrive}, //nolint:errorlint // that is the case
	"a stop deep below several joins": {errors.Join(errPlain, errors.Join(errPlain, fmt.Errorf("x: %w", mismatch()))), "Mismatch", fault.Restart},
}

func TestLift(t *testing.T) {
	t.Parallel()
	for name, c := range lifting {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := fault.Lift(c.err)
			if fault.Name(got) != c.name || fault.AdviceOf(got) != c.advice {
				t.Errorf("got %s with advice %s, want %s with %s", fault.Name(got), fault.AdviceOf(got), c.name, c.advice)
			}
			if again := fault.Lift(got); again != got { //nolint:errorlint // the very same
				t.Errorf("lifted again it is %v", again)
			}
			if got.Error() == "" {
				t.Error("it says nothing")
			}
		})
	}
	if fault.Lift(nil) != nil {
		t.Error("no error is lifted to one")
	}
}

// TestCauses: the cause stays in the chain.
func TestCauses(t *testing.T) {
	t.Parallel()
	if !errors.Is(fault.Lift(fmt.Errorf("x: %w", transient())), io.ErrUnexpectedEOF) || !errors.Is(fault.Lift(errPlain), errPlain) {
		t.Error("the cause is lost")
	}
}

// boundary runs a handler and returns what left it, and the log.
func boundary(t *testing.T, handle func(context.Context, int) (string, error)) (string, []map[string]any, error) {
	t.Helper()
	var out bytes.Buffer
	got, err := fault.Boundary(centrallog.New(&out, slog.LevelInfo), handle)(t.Context(), 42)
	var lines []map[string]any
	for text := range strings.Lines(out.String()) {
		var members map[string]any
		if err := json.Unmarshal([]byte(text), &members); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		lines = append(lines, members)
	}
	return got, lines, err
}

func TestBoundary(t *testing.T) {
	t.Parallel()
	for name, c := range lifting {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, lines, err := boundary(t, func(context.Context, int) (string, error) { return "", fmt.Errorf("outer: %w", c.err) })
			if fault.Name(err) != c.name {
				t.Errorf("got %T, want %s", err, c.name)
			}
			// The whole chain is logged once, as the name alone leaves.
			if len(lines) != 1 || lines[0]["level"] != "ERROR" || lines[0]["message"] != fault.StepFailed || !strings.HasPrefix(fmt.Sprint(lines[0]["error_details"]), "outer: ") {
				t.Errorf("logged %v", lines)
			}
		})
	}
}

func TestBoundarySuccess(t *testing.T) {
	t.Parallel()
	got, lines, err := boundary(t, func(_ context.Context, in int) (string, error) { return fmt.Sprint(in), nil })
	if got != "42" || err != nil || lines != nil {
		t.Errorf("got %q, %v, %v", got, err, lines)
	}
}

// TestBoundaryPanic: a panic is an Unexpected fault; its value may hold data and
// is shown nowhere.
func TestBoundaryPanic(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{"text": "tres-secret", "error": errors.New("tres-secret"), "fault": &fault.Transient{Op: "tres-secret", Err: errPlain}} {
		_, lines, err := boundary(t, func(context.Context, int) (string, error) { panic(value) })
		if fault.Name(err) != "Unexpected" || err.Error() != fault.Panicked {
			t.Errorf("%s: got %T, %v", name, err, err)
		}
		if len(lines) != 1 || strings.Contains(fmt.Sprint(lines, err), "secret") {
			t.Errorf("%s: logged %v", name, lines)
		}
	}
}

// answered is an error as the SDK reports one: with the status of the answer, or
// with 0 where the connection broke before it.
func answered(status int, err error) error {
	return &smithy.OperationError{ServiceID: "S3", OperationName: "PutObject", Err: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: err,
	}}
}

func api(code string, side smithy.ErrorFault) error {
	return &smithy.GenericAPIError{Code: code, Message: "m", Fault: side}
}

func TestFromAWS(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want etl.Fault
	}{
		"500":                          {answered(500, errPlain), "Transient"},
		"503":                          {answered(503, api("SlowDown", smithy.FaultServer)), "Transient"},
		"429":                          {answered(429, errPlain), "Transient"},
		"408":                          {answered(408, errPlain), "Transient"},
		"400, transactions meet":       {answered(400, api("TransactionConflictException", smithy.FaultClient)), "Transient"},
		"400, KMS is busy":             {answered(400, api("KMSThrottling", smithy.FaultClient)), "Transient"},
		"403, an archived object":      {answered(403, api("InvalidObjectState", smithy.FaultClient)), "Unexpected"},
		"404":                          {answered(404, api("NoSuchKey", smithy.FaultClient)), "Unexpected"},
		"400":                          {answered(400, api("ValidationException", smithy.FaultClient)), "Unexpected"},
		"400, throttled":               {answered(400, api("ThrottlingException", smithy.FaultClient)), "Transient"},
		"400, capacity":                {answered(400, api("ProvisionedThroughputExceededException", smithy.FaultClient)), "Transient"},
		"409, conditional writes meet": {answered(409, api("ConditionalRequestConflict", smithy.FaultClient)), "Transient"},
		"no answer":                    {answered(0, io.EOF), "Transient"},
		"no response at all":           {errPlain, "Transient"},
		"an API error of the client":   {api("ValidationException", smithy.FaultClient), "Unexpected"},
		"cancelled":                    {context.Canceled, "Unexpected"},
		"a stop inside":                {fmt.Errorf("x: %w", mismatch()), "Mismatch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := fault.FromAWS("write s3://b/k", c.err)
			if fault.Name(fault.Lift(got)) != c.want {
				t.Errorf("got %s, want %s", fault.Name(fault.Lift(got)), c.want)
			}
			if !errors.Is(got, c.err) || !strings.HasPrefix(got.Error(), "write s3://b/k: ") {
				t.Errorf("got %v", got)
			}
		})
	}
	if fault.FromAWS("x", nil) != nil {
		t.Error("no error becomes one")
	}
}
