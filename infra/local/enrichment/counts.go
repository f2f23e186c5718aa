package main

// counts are what the server was asked since they were last reset.
type counts struct {
	Lookups       int `json:"lookups"`        // calls for one key
	Batches       int `json:"batches"`        // calls for several keys
	Keys          int `json:"keys"`           // keys asked for
	Distinct      int `json:"distinct"`       // distinct keys asked for
	Repeated      int `json:"repeated"`       // distinct keys asked for more than once
	Answered      int `json:"answered"`       // distinct keys that had the right answer
	AnsweredAgain int `json:"answered_again"` // distinct keys that had it more than once
	MostInFlight  int `json:"most_in_flight"` // calls at a time
	Refused       int `json:"refused"`        // calls without the right credentials
	Tokens        int `json:"tokens"`         // tokens given out
	Jobs          int `json:"jobs"`           // batches taken as jobs
	Polls         int `json:"polls"`          // looks at jobs
}

// What is remembered of a key.
const (
	askedOnce uint8 = 1 << iota
	askedAgain
	answeredOnce
	answeredAgain
)

// ledger counts. Its user serialises the calls.
type ledger struct {
	counts
	keys     map[uint64]uint8 // by the key's id
	inFlight int
}

func newLedger() ledger { return ledger{keys: map[uint64]uint8{}} }

// begin counts a call for the keys.
func (l *ledger) begin(batch bool, digests []digest) {
	if batch {
		l.Batches++
	} else {
		l.Lookups++
	}
	l.inFlight++
	l.MostInFlight = max(l.MostInFlight, l.inFlight)
	l.Keys += len(digests)
	l.mark(digests, askedOnce, askedAgain, &l.Distinct, &l.Repeated)
}

// answered counts the right answer to the keys.
func (l *ledger) answered(digests []digest) {
	l.mark(digests, answeredOnce, answeredAgain, &l.Answered, &l.AnsweredAgain)
}

// mark notes once, and at the second time again, and counts the keys with each.
func (l *ledger) mark(digests []digest, once, again uint8, onces, agains *int) {
	for _, d := range digests {
		switch known := l.keys[d.id()]; {
		case known&once == 0:
			l.keys[d.id()] = known | once
			*onces++
		case known&again == 0:
			l.keys[d.id()] = known | again
			*agains++
		}
	}
}
