package phase

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"etl-dataloader/internal/answers"
	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/event"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/postgres"
)

// asked is what a part holds.
type asked struct {
	Keys    int64 `json:"keys"` // distinct ones with an answer, or given up
	Calls   int64 `json:"calls"`
	Dropped int64 `json:"dropped"` // members of the answers that the contract does not name
}

// Metadata keys under which an object of answers tells what its rows do not.
const (
	keysKey    = "keys"    // of a part: how many distinct keys it holds
	droppedKey = "dropped" // members that the contract does not name
)

// droppedOf sums up the members of answers that the contract does not name.
func droppedOf(outcomes []enrichment.Outcome) (n int64) {
	for i := range outcomes {
		n += int64(outcomes[i].Dropped)
	}
	return n
}

// metadataOf returns the metadata of an object of answers.
func metadataOf(dropped int64) map[string]string {
	metadata := schemaOf(answers.Stream())
	metadata[droppedKey] = strconv.FormatInt(dropped, 10)
	return metadata
}

// asking asks for the keys of a chunk, part by part.
type asking struct {
	*Enrich
	answerSealer
	in   EnrichIn
	keys *chunkKeys
	out  *Enriched

	parts   []postgres.Object    // persisted
	next    int                  // the first distinct key that has no answer
	calls   int64                // made for the keys before it
	dropped int64                // of the answers for them
	whole   []enrichment.Outcome // of all keys, if one part would hold them: it is not written
}

// justAnswered reports whether the source answered for keys that no part tells of.
func (a *asking) justAnswered() bool { return a != nil && len(a.whole) > 0 }

// resume takes up the parts that earlier runs persisted.
func (a *asking) resume(ctx context.Context) error {
	parts, err := a.DB.Parts(ctx, a.in.unit(etl.StateEnrich))
	if err != nil {
		return err
	}
	for _, part := range parts {
		var what asked
		if err := json.Unmarshal(part.Result, &what); err != nil {
			return fmt.Errorf("result of part %s: %w", part.Key, err)
		}
		a.took(part.Object, what)
	}
	return nil
}

func (a *asking) took(part postgres.Object, what asked) {
	a.parts = append(a.parts, part)
	a.next += int(what.Keys)
	a.calls += what.Calls
	a.dropped += what.Dropped
}

// ask asks for the keys that no part has, until all have an answer, time is up, or the
// source is down and the machine is to wait.
func (a *asking) ask(ctx context.Context) error {
	if a.next == len(a.keys.distinct) {
		return nil
	}
	enricher, err := a.Enrichers(a.resource.Enrichment.Source, a.in.Import.Mode)
	if err != nil {
		return err
	}
	unit := a.in.unit(etl.StateEnrich).String()
	defer a.returnShare(ctx, a.resource, unit)
	until := a.until(ctx, enricher)
	run := enricher.Start(a.keys.distinct)
	for a.next < len(a.keys.distinct) && a.Now().Before(until) {
		share, err := a.share(ctx, enricher, a.resource, unit)
		if err != nil {
			return err
		}
		if share.Calls == 0 {
			a.out.WaitSeconds = int(shareWait / time.Second)
			return nil
		}
		most := cmp.Or(a.PartKeys, partKeys)
		if a.out.Waits > 0 {
			share.Calls, most = 1, enricher.BatchSize() // one call finds out whether the source is back
		}
		end := a.Now().Add(cmp.Or(a.PartTime, partTime))
		if until.Before(end) {
			end = until
		}
		got := run.Ask(ctx, a.keys.distinct[a.next:min(a.next+most, len(a.keys.distinct))], share, end)
		if err := ctx.Err(); err != nil {
			// The function ran out of time, which says nothing about the source.
			return &fault.Transient{Op: "enrich " + a.resource.Name, Err: err}
		}
		if done, err := a.take(ctx, got); done || err != nil {
			return err
		}
	}
	return nil
}

// take takes what the source answered. It reports whether the run is over.
func (a *asking) take(ctx context.Context, got enrichment.Answers) (over bool, err error) {
	if len(got.Outcomes) == len(a.keys.distinct) {
		a.whole, a.next = got.Outcomes, len(got.Outcomes)
		a.calls += int64(got.Calls)
		a.dropped += droppedOf(got.Outcomes)
		return true, nil
	}
	if err := a.persist(ctx, got.Outcomes, got.Calls); err != nil {
		return true, err
	}
	if got.Outage != nil {
		return true, a.silent(ctx, got.Outage)
	}
	return false, nil
}

// until is when a run begins no further part: early enough for the calls under way
// to end before the function does.
func (p *Enrich) until(ctx context.Context, enricher Enricher) time.Time {
	deadline, ok := ctx.Deadline()
	if !ok {
		return p.Now().Add(time.Hour)
	}
	left := time.Until(deadline)
	return p.Now().Add(max(left-enricher.Reserve(), left/4))
}

// persist writes the answers for the next keys as a part, and enters it in the ledger.
// If a run before died between the two, its part stands.
func (a *asking) persist(ctx context.Context, outcomes []enrichment.Outcome, calls int) error {
	if len(outcomes) == 0 {
		return nil
	}
	what := asked{Keys: int64(len(outcomes)), Calls: int64(calls), Dropped: droppedOf(outcomes)}
	metadata := metadataOf(what.Dropped)
	metadata[keysKey] = strconv.Itoa(len(outcomes))
	number := len(a.parts)
	object, created, err := a.Work.PutOnce(ctx, a.in.part(number), metadata, func(w io.Writer) error {
		return a.write(w, outcomes)
	})
	if err != nil {
		return err
	}
	if !created {
		if object, err = a.found(ctx, object, &what); err != nil {
			return err
		}
	}
	from := ledgerObject(object)
	what, err = postgres.OnceFrom(ctx, a.DB, a.in.unit(etl.StateEnrich.Part(number)), from, func(ctx context.Context, tx *postgres.Tx) (asked, error) {
		if calls == 0 { // they are given up
			return what, nil
		}
		return what, tx.SourceAnswered(ctx, a.resource.Enrichment.Source, a.Now())
	})
	if err != nil {
		return err
	}
	a.took(from, what)
	a.out.Waits = 0
	return nil
}

// write writes the answers for the records with the next keys, key by key.
func (a *asking) write(w io.Writer, outcomes []enrichment.Outcome) error {
	rows := answers.NewWriter(w)
	for i, o := range outcomes {
		for _, record := range a.keys.of(a.next + i) {
			answer, err := a.answer(a.keys.record(record), o)
			if err != nil {
				return err
			}
			if err := rows.Write(a.keys.lines[record], answer); err != nil {
				return err
			}
		}
	}
	return rows.Close()
}

// found reads the part of an earlier run, and says in what which keys it holds.
func (a *asking) found(ctx context.Context, object objectstore.Object, what *asked) (objectstore.Object, error) {
	body, err := openStream(ctx, a.Work, object, answers.Stream())
	if err != nil {
		return object, err
	}
	_ = body.Close()
	if what.Keys, err = strconv.ParseInt(body.Metadata[keysKey], 10, 64); err != nil || what.Keys < 1 || what.Keys > int64(len(a.keys.distinct)-a.next) {
		return object, &fault.Incompatible{Object: object.Key, Reason: otherContent}
	}
	what.Dropped = droppedIn(body.Metadata)
	return a.Work.Read(ctx, object, func(io.Reader) error { return nil })
}

// droppedIn returns what the metadata of an object of answers say of dropped members; 0
// if it is one of an earlier version, which did not.
func droppedIn(metadata map[string]string) int64 {
	dropped, _ := strconv.ParseInt(metadata[droppedKey], 10, 64)
	return dropped
}

// part returns the key of the object of a part.
func (in ChunkIn) part(number int) string {
	return fmt.Sprintf("%s%s/%s/%06d/%06d.copy", in.Import.prefix(), answersKind, in.Chunk.Resource, in.Chunk.Range.Index, number)
}

// join writes the answers in the order of the lines, or finds them.
func (a *asking) join(ctx context.Context) (object objectstore.Object, counts answers.Counts, err error) {
	records, err := a.collect(ctx)
	if err != nil {
		return object, counts, err
	}
	object, created, err := a.Work.PutOnce(ctx, a.in.object(answersKind), metadataOf(a.dropped), func(w io.Writer) (err error) {
		counts, err = a.writeLines(w, records)
		return err
	})
	if err != nil || bool(created) {
		return object, counts, err
	}
	body, err := openStream(ctx, a.Work, object, answers.Stream())
	if err != nil {
		return object, counts, err
	}
	_ = body.Close()
	a.dropped = droppedIn(body.Metadata)
	object, err = a.Work.Read(ctx, object, func(stream io.Reader) (err error) {
		counts, err = answers.Each(stream, func(int64, event.Enrichment) error { return nil })
		return err
	})
	return object, counts, err
}

// writeLines writes the answers for the records, in the order of the lines.
func (a *asking) writeLines(w io.Writer, records []event.Enrichment) (answers.Counts, error) {
	rows := answers.NewWriter(w)
	for i, line := range a.keys.lines {
		if err := rows.Write(line, records[i]); err != nil {
			return answers.Counts{}, err
		}
	}
	return rows.Counts(), rows.Close()
}

// collect returns the answers for the records, in the order of the lines.
func (a *asking) collect(ctx context.Context) ([]event.Enrichment, error) {
	records := make([]event.Enrichment, len(a.keys.lines))
	for key, o := range a.whole {
		for _, record := range a.keys.of(key) {
			var err error
			if records[record], err = a.answer(a.keys.record(record), o); err != nil {
				return nil, err
			}
		}
	}
	for _, part := range a.parts {
		if err := a.read(ctx, part, records); err != nil {
			return nil, err
		}
	}
	for i := range records {
		if records[i].Status == "" {
			return nil, a.mismatch(a.keys.lines[i])
		}
	}
	return records, nil
}

// read takes the answers of a part.
func (a *asking) read(ctx context.Context, part postgres.Object, records []event.Enrichment) error {
	body, err := openStream(ctx, a.Work, workObject(part), answers.Stream())
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	content := newHashed(body, workObject(part))
	if _, err := answers.Each(content, func(line int64, answer event.Enrichment) error {
		i, ok := slices.BinarySearch(a.keys.lines, line)
		if !ok {
			return a.mismatch(line)
		}
		answer.Values = bytes.Clone(answer.Values)
		records[i] = answer
		return nil
	}); err != nil {
		return err
	}
	return content.check()
}

func (a *asking) mismatch(line int64) error {
	return &fault.Mismatch{ImportID: a.in.Import.ImportID, Reason: otherAnswers(a.resource.Name, line)}
}
