package registry_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"etl-dataloader/internal/awstest/memory"
	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/registry/registrytest"
)

var errUnanswered = errors.New("no answer")

// unanswered is a table whose next PutItem fails, before or after it was saved.
type unanswered struct {
	*memory.Table
	fail string
}

func (u *unanswered) PutItem(ctx context.Context, in *dynamodb.PutItemInput, more ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	fail := u.fail
	u.fail = ""
	if fail == "not saved" {
		return nil, errUnanswered
	}
	out, err := u.Table.PutItem(ctx, in, more...)
	if fail == "saved" {
		return nil, errUnanswered
	}
	return out, err
}

// A name that could not be written is written the next time; one whose answer was lost
// is found; a second name does not replace the first.
func TestNameConsole(t *testing.T) {
	for _, fail := range []string{"", "not saved", "saved"} {
		clock := &registrytest.Clock{}
		table := &unanswered{Table: &memory.Table{}}
		r := registry.New(table, "registry", clock.Now)
		imp := allotted(t, r)
		observe(t, r, imp, 0, etl.StatusFailed, "Unexpected")
		redriven, _ := observe(t, r, imp, 1, etl.StatusRunning, "")
		at := redriven.StartedAt
		table.fail = fail
		name := func(by string) (registry.Attempt, bool, error) {
			return r.NameConsole(t.Context(), imp.ImportID, imp.ExecutionARN, at.Add(-time.Second), time.Second, caller.Identity{ARN: by})
		}
		if _, _, err := name("anne"); (err != nil) != (fail != "") {
			t.Errorf("%q: %v", fail, err)
		}
		for range 2 {
			if a, found, err := name("anne"); err != nil || !found || a.By != "anne" || a.Number != 2 {
				t.Errorf("%q: %+v, %t, %v", fail, a, found, err)
			}
		}
		if a, found, err := name("bob"); err != nil || found {
			t.Errorf("%q: a second name: %+v, %t, %v", fail, a, found, err)
		}
		attempts, err := r.Attempts(t.Context(), imp.ImportID)
		if err != nil || len(attempts) != 2 || attempts[0].By != "" || attempts[1].By != "anne" {
			t.Errorf("%q: %+v, %v", fail, attempts, err)
		}
		if _, found, err := r.NameConsole(t.Context(), imp.ImportID, imp.ExecutionARN, at.Add(2*time.Second), time.Second, caller.Identity{ARN: "anne"}); err != nil || found {
			t.Errorf("%q: a redrive that is not there yet was named: %v", fail, err)
		}
		if _, found, err := r.NameConsole(t.Context(), imp.ImportID, imp.ExecutionARN, at.Add(-2*time.Second), time.Second, caller.Identity{ARN: "anne"}); err != nil || found {
			t.Errorf("%q: a later redrive was named: %v", fail, err)
		}
		if _, found, err := r.NameConsole(t.Context(), imp.ImportID, "arn:other", at, time.Second, caller.Identity{ARN: "anne"}); err != nil || found {
			t.Errorf("%q: a redrive of another execution was named: %v", fail, err)
		}
	}
}
