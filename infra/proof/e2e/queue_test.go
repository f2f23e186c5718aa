//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// queue is a complete date behind one that failed: it waits, and goes by itself
// when the earlier one is given up, of which nothing is ever published.
func (y *story) queue(t *testing.T) {
	given := y.sample(t, "daily", "2024-10-15", "-rows", "20", "-seed", "13")
	y.place(t, obstacle{"Open", "", 0})
	y.upload(t, given, given.files(t)...)
	imp := y.awaitStatus(t, given.Mode, given.Date, failed, 1)
	y.failedAt(t, imp, "Open", "Chargement des fichiers", "53100")
	y.clear(t)

	next := y.sample(t, "daily", "2024-10-16", "-rows", "20", "-seed", "14")
	y.upload(t, next, next.files(t)...)
	until(t, "ten arrivals of "+next.Date, func() (bool, error) { return y.arrivals(t, next) == 10, nil })
	if answer, failed := y.invoke(t, "SweepFunction", map[string]any{}); failed != "" {
		t.Fatalf("sweep: %v %s", answer, failed)
	}
	if early, started := y.importOf(t, next.Mode, next.Date); started {
		t.Fatalf("%s started while %s is open", early.ImportID, imp.ImportID)
	}

	y.rerun(t, imp, "abandon")
	y.settle(t, next, 1)
	gone, _ := y.importOf(t, given.Mode, given.Date)
	if gone.Status != "abandonné" || gone.Generation != imp.Generation+1 {
		t.Errorf("%s is «%s», generation %d", gone.ImportID, gone.Status, gone.Generation)
	}
	y.nothingOf(t, imp, imp.Generation)
	y.mustRefuse(t, gone, "resume")
}

// arrivals counts the files of a set that the registry knows.
func (y *story) arrivals(t *testing.T, of set) int {
	t.Helper()
	n := 0
	for _, item := range y.registry(t) {
		pk, _ := item["pk"].(*types.AttributeValueMemberS)
		sk, _ := item["sk"].(*types.AttributeValueMemberS)
		if pk.Value == "DATE#"+of.Mode+"#"+of.Date && strings.HasPrefix(sk.Value, "ARRIVAL#") {
			n++
		}
	}
	return n
}
