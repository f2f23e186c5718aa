//go:build e2e

package e2e

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestQueue: a complete date waits behind one that failed, and goes by itself when
// the earlier one is given up, of which nothing is ever published.
func TestQueue(t *testing.T) {
	sc := baseline(t)
	given := sc.day(t, "-rows", "20", "-seed", "13")
	sc.place(t, obstacle{"Open", "", 0})
	defer sc.clear(t)
	sc.upload(t, given, given.files(t)...)
	imp := sc.awaitStatus(t, given.Mode, given.Date, failed, 1)
	sc.failedAt(t, imp, "Open", "Chargement des fichiers", "53100")
	sc.clear(t)

	next := sc.day(t, "-rows", "20", "-seed", "14")
	sc.upload(t, next, next.files(t)...)
	until(t, "ten arrivals of "+next.Date, func() (bool, error) { return sc.arrivals(t, next) == 10, nil })
	if answer, failed := sc.invoke(t, "SweepFunction", map[string]any{}); failed != "" {
		t.Fatalf("sweep: %v %s", answer, failed)
	}
	if early, started := sc.importOf(t, next.Mode, next.Date); started {
		t.Fatalf("%s started while %s is open", early.ImportID, imp.ImportID)
	}

	sc.rerun(t, imp, "abandon")
	sc.settle(t, next, 1)
	gone, _ := sc.importOf(t, given.Mode, given.Date)
	if gone.Status != "abandonné" || gone.Generation != imp.Generation+1 {
		t.Errorf("%s is «%s», generation %d", gone.ImportID, gone.Status, gone.Generation)
	}
	sc.nothingOf(t, imp, imp.Generation)
	sc.mustRefuse(t, gone, "resume")
}

// arrivals counts the files of a set that the registry knows.
func (sc *scenario) arrivals(t *testing.T, of set) int {
	t.Helper()
	n := 0
	for _, item := range sc.registry(t) {
		pk, _ := item["pk"].(*types.AttributeValueMemberS)
		sk, _ := item["sk"].(*types.AttributeValueMemberS)
		if pk.Value == "DATE#"+of.Mode+"#"+of.Date && strings.HasPrefix(sk.Value, "ARRIVAL#") {
			n++
		}
	}
	return n
}
