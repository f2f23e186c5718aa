//go:build e2e

package e2e

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"etl-dataloader/infra/proof/stack"
)

// TestAutomaticRedrive: an import fails for a reason that passes. Nobody asks for
// anything, and it goes on to its end.
func TestAutomaticRedrive(t *testing.T) {
	sc := baseline(t)
	restore := sc.configure(t, "TrackFunction", map[string]string{"AUTOMATIC_REDRIVES": "20", "AUTOMATIC_REDRIVE_DELAY": "1"})
	defer restore()
	of := sc.day(t, "-rows", "60", "-seed", "15")
	sc.place(t, obstacle{"Prepare", "ventes", 0})
	defer sc.clear(t)
	sc.upload(t, of, of.files(t)...)
	imp := sc.await(t, "an import of "+of.Date, of.Mode, of.Date, func(stack.Import) (bool, error) { return true, nil })
	sc.awaitAlert(t, imp.ImportID, "en echec", "Persistance des événements", "Reprise automatique : prévue le ")
	sc.clear(t)
	imp = sc.await(t, imp.ImportID+" to go on by itself to its end", of.Mode, of.Date, func(imp stack.Import) (bool, error) {
		return imp.Status == succeeded && imp.Reported(), nil
	})
	sc.compareEnrichment(t, sc.vault, sc.absorb(t, imp, of))
	attempts := sc.attempts(t, imp.ImportID)
	for i, a := range attempts {
		want := stack.Attempt{Kind: "resume", Trigger: "automatic", Generation: 1, FailedStep: "Persistance des événements"}
		if i == 0 {
			want = stack.Attempt{Kind: "start", Trigger: "file", Generation: 1}
		}
		reason := a.FailedReason
		if a.FailedReason = ""; a != want || (i > 0 && !strings.Contains(reason, "53100")) {
			t.Errorf("attempt %d is %+v (%s), want %+v", i+1, a, reason, want)
		}
	}
	if !strings.HasSuffix(imp.ExecutionARN, ":"+imp.ImportID) || len(attempts) < 2 {
		t.Errorf("%d attempts, the last in %s", len(attempts), imp.ExecutionARN)
	}
}

// configure sets environment variables of a function and returns what sets them
// back.
func (s *system) configure(t *testing.T, function string, variables map[string]string) (restore func()) {
	t.Helper()
	name := s.function(t, function)
	now, err := s.Lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &name})
	if err != nil {
		t.Fatal(err)
	}
	set := func(environment map[string]string) {
		if _, err := s.Lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
			FunctionName: &name, Environment: &lambdatypes.Environment{Variables: environment},
		}); err != nil {
			t.Fatal(err)
		}
	}
	before := now.Environment.Variables
	changed := maps.Clone(before)
	maps.Copy(changed, variables)
	set(changed)
	return func() { set(before) }
}
