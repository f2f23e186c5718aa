package phase_test

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/enrichment"
)

// sourceFaults are the rows of the table.
func sourceFaults() []sourceFault {
	return slices.Concat(slowness(), throttling(), outages(), unusableAnswers(), refusals(), ofOneRecord(), ofBatches(), faultsOfSOAP())
}

// both is an end in both modes.
func both(f sourceFault, e faultEnd) sourceFault {
	f.initial, f.daily = &e, &e
	return f
}

// whole is the end of a fault that costs a whole call: a batch in initial mode, a record in
// daily mode.
func whole(f sourceFault, e faultEnd) sourceFault {
	initial, daily := e, e
	initial.failed, daily.failed = faultBatch, 1
	f.initial, f.daily = &initial, &daily
	return f
}

// bounded is the end of a fault that meets n calls and costs nothing. Three of them in a
// row may be an outage.
func bounded(n int) faultEnd { return faultEnd{failing: n, probes: n, waits: n / 3} }

// throttled is the same for calls that are never judged by a probe.
func throttled(n int) faultEnd { return faultEnd{failing: n, waits: n / 3} }

// poisoned is the end of a call that fails twice, and is judged by a probe each time.
func poisoned(code enrichment.Code) faultEnd { return faultEnd{code: code, failing: 2, probes: 2} }

// waited is the end of an outage with so many waits in each unit. It meets the calls that
// are under way in each unit, and four at most after each wait.
func waited(perUnit int) faultEnd {
	return faultEnd{failing: faultUnits * (2*faultCalls + 3 + 4*perUnit), probes: faultUnits * faultCalls, waits: faultUnits * perUnit}
}

func slowness() []sourceFault {
	return []sourceFault{
		both(sourceFault{name: "none"}, faultEnd{}),
		both(sourceFault{name: "every call takes half of its timeout", when: ofAll, act: slow}, faultEnd{}),
		both(sourceFault{name: "three answers come after the timeout", when: ofCalls(2, 3), act: late}, bounded(3)),
		both(sourceFault{name: "three calls hang", when: ofCalls(2, 3), act: hangs("")}, bounded(3)),
		both(sourceFault{name: "two answers drip", when: ofCalls(2, 2), act: hangs(`{"results":[`)}, bounded(2)),
	}
}

func throttling() []sourceFault {
	date := func(s *faultySource) string { return s.clock.now().Add(3 * time.Second).Format(http.TimeFormat) }
	return []sourceFault{
		both(sourceFault{name: "429 twice, Retry-After in seconds", when: ofCalls(2, 2), act: fails(429, seconds(2))}, throttled(2)),
		both(sourceFault{name: "429 twice, Retry-After as a date", when: ofCalls(2, 2), act: fails(429, date)}, throttled(2)),
		both(sourceFault{name: "429 twice, without Retry-After", when: ofCalls(2, 2), act: fails(429, nil)}, throttled(2)),
		both(sourceFault{name: "429 for ten calls", when: ofCalls(2, 10), act: fails(429, nil)}, throttled(10)),
		both(sourceFault{name: "429 once, Retry-After an hour", when: ofCalls(2, 1), act: fails(429, seconds(3600))}, faultEnd{failing: 1, waits: 1}),
		both(sourceFault{name: "503 once, Retry-After two minutes", when: ofCalls(2, 1), act: fails(503, seconds(120))}, faultEnd{failing: 1, waits: 1}),
	}
}

func outages() []sourceFault {
	spent := func(waits int, longest time.Duration) *faultEnd {
		e := waited(waits)
		e.failed, e.code, e.alerts, e.longest = faultClients-faultUnitSize, enrichment.CodeServerError, 1, longest
		return &e
	}
	beyond := sourceFault{name: "an outage beyond the patience, from the second unit on", act: fails(503, nil), when: func(s *faultySource, _ []string) bool {
		return len(s.right) >= faultUnitSize
	}}
	beyond.initial, beyond.daily = spent(53, 4*time.Hour+10*time.Minute), spent(9, 30*time.Minute)
	return []sourceFault{
		both(sourceFault{name: "500 for three calls", when: ofCalls(2, 3), act: fails(500, nil)}, bounded(3)),
		both(sourceFault{name: "500 for twenty calls", when: ofCalls(2, 20), act: fails(500, nil)}, bounded(20)),
		both(sourceFault{name: "three connections are reset", when: ofCalls(2, 3), act: resets}, bounded(3)),
		both(sourceFault{name: "connections are refused for 2 s", when: lasting(2 * time.Second), refuses: true}, waited(1)),
		both(sourceFault{name: "an outage of 2 s", when: lasting(2 * time.Second), act: fails(503, nil)}, waited(1)),
		both(sourceFault{name: "an outage of 10 min", when: lasting(10 * time.Minute), act: fails(503, nil)}, waited(5)),
		beyond,
		both(sourceFault{name: "the function is killed in the middle of a part", when: ofCalls(1, 1), act: kills}, faultEnd{kills: 1}),
		both(sourceFault{name: "the function is killed when a part is persisted", act: kills, when: func(s *faultySource, keys []string) bool {
			met := s.from.IsZero() && keys[0] == "1006"
			if met {
				s.from = s.clock.now()
			}
			return met
		}}, faultEnd{kills: 1}),
	}
}

func unusableAnswers() []sourceFault {
	const other = `{"key":"7","found":false}`
	return []sourceFault{
		both(sourceFault{name: "three answers are no JSON", when: ofCalls(2, 3), act: says("application/json", "<html>")}, bounded(3)),
		both(sourceFault{name: "three errors with status 200", when: ofCalls(2, 3), act: says("application/json", `{"error":"unavailable","code":503}`)}, bounded(3)),
		both(sourceFault{name: "three answers under text/html", when: ofCalls(2, 3), act: says("text/html", `{"results":[]}`)}, bounded(3)),
		both(sourceFault{name: "three answers are cut", when: ofCalls(2, 3), act: cut}, bounded(3)),
		both(sourceFault{name: "an answer of 5 MiB", when: ofCalls(2, 1), act: says("application/json", strings.Repeat(" ", 5<<20))}, bounded(1)),
		both(sourceFault{name: "two answers for another key", when: ofCalls(2, 2), act: func(s *faultySource, w http.ResponseWriter, _ *http.Request, keys []string) bool {
			w.Header().Set("Content-Type", s.media())
			_, _ = w.Write([]byte(s.answerOf([]string{other}, s.timeout < time.Minute)))
			return len(keys) > 0
		}}, bounded(2)),
		whole(sourceFault{name: "the answers for one key are never JSON", when: ofKey(spoiltKey), act: says("application/json", "?")}, poisoned(enrichment.CodeInvalidAnswer)),
	}
}

func refusals() []sourceFault {
	header := func(s *faultySource) { s.demands, s.stored = "old", headerSecret("old") }
	oauth := func(s *faultySource) {
		s.demands = "Bearer none"
		s.stored = `{"type":"oauth2","token_url":"` + s.url + `/token","client_id":"loader","client_secret":"invented"}`
	}
	gap := waited(5)
	gap.failing *= 2 // each call is repeated with the secret read again
	return []sourceFault{
		both(sourceFault{name: "the token expires early", setUp: oauth, when: ofCalls(5, 1), act: demand("Bearer other", false)}, faultEnd{failing: faultCalls}),
		both(sourceFault{name: "the secret is changed", setUp: header, when: ofCalls(5, 1), act: demand("new", true)}, faultEnd{failing: faultCalls}),
		both(sourceFault{name: "the secret is changed, in Secrets Manager 10 min later", setUp: header, lag: 10 * time.Minute, when: ofCalls(5, 1), act: demand("new", false)}, gap),
		whole(sourceFault{name: "403 for one key", when: ofKey(spoiltKey), act: fails(403, nil)}, poisoned(enrichment.CodeUnauthorized)),
		whole(sourceFault{name: "500 for one key (poisoned)", when: ofKey(spoiltKey), act: fails(500, nil)}, poisoned(enrichment.CodeServerError)),
		whole(sourceFault{name: "a hanging call for one key", when: ofKey(spoiltKey), act: hangs("")}, poisoned(enrichment.CodeTimeout)),
		whole(sourceFault{name: "400 for one key", when: ofKey(spoiltKey), act: fails(400, nil)}, faultEnd{code: enrichment.CodeRefused, failing: 1}),
		whole(sourceFault{name: "307 for one key", when: ofKey(spoiltKey), act: fails(307, nil)}, faultEnd{code: enrichment.CodeRefused, failing: 1}),
	}
}

// ofOneRecord are faults of one result.
func ofOneRecord() []sourceFault {
	with := func(values string) func(string) string {
		return func(key string) string { return `{"key":"` + key + `",` + values + `}` }
	}
	spoils := func(name, values string, e faultEnd) sourceFault {
		return both(sourceFault{name: name, when: ofAll, result: with(values), spoilt: []string{spoiltKey}}, e)
	}
	invalid := faultEnd{failed: 1, code: enrichment.CodeInvalidAnswer}
	return []sourceFault{
		spoils("a number out of bounds", `"found":true,"segment":"a","loyalty_tier":"b","risk_score":17`, invalid),
		spoils("a number with a huge exponent", `"found":true,"segment":"a","loyalty_tier":"b","risk_score":1e999999999`, invalid),
		spoils("a text that is too long", `"found":true,"segment":"`+strings.Repeat("a", 51)+`","loyalty_tier":"b","risk_score":0`, invalid),
		spoils("a value of another type", `"found":true,"segment":"a","loyalty_tier":"b","risk_score":"x"`, invalid),
		spoils("a member twice", `"found":true,"segment":"a","segment":"b","loyalty_tier":"b","risk_score":0`, invalid),
		spoils("members that the contract does not name", `"found":true,"segment":"a","loyalty_tier":"`+tierOf(spoiltKey)+`","risk_score":0,"more":1,"most":{}`, faultEnd{dropped: 2}),
		spoils("an error for one key", `"error":"unavailable"`, faultEnd{failed: 1, code: enrichment.CodeRecordError}),
		spoils("a key that the source does not know", `"found":false`, faultEnd{unknown: 1}),
	}
}

// ofBatches are faults that daily calls cannot have.
func ofBatches() []sourceFault {
	initial := func(f sourceFault, e faultEnd) sourceFault {
		f.initial = &e
		return f
	}
	half := func(keys []string) []string { return keys[:len(keys)/2] }
	reversed := func(keys []string) []string {
		keys = slices.Clone(keys)
		slices.Reverse(keys)
		return keys
	}
	doubled := func(keys []string) []string { return slices.Concat(keys, keys) }
	return []sourceFault{
		initial(sourceFault{name: "half of a batch is answered", when: ofKey(spoiltKey), shape: half}, faultEnd{failed: 2, code: enrichment.CodeNoResult}),
		initial(sourceFault{name: "every batch is reordered", when: ofAll, shape: reversed}, faultEnd{}),
		initial(sourceFault{name: "a batch is doubled", when: ofKey(spoiltKey), shape: doubled}, faultEnd{failed: faultBatch, code: enrichment.CodeInvalidAnswer}),
		initial(sourceFault{name: "every batch is a job (202)", only: contract.KindREST, when: ofAll, act: accepts(false)}, faultEnd{}),
		initial(sourceFault{name: "a job is forgotten", only: contract.KindREST, when: ofCalls(2, 1), act: accepts(true)}, bounded(1)),
	}
}
