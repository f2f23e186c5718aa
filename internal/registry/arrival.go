package registry

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
)

// Look returns what the landing bucket holds under a key when it is called: the
// current version, or exists = false if the object is gone.
type Look func(ctx context.Context) (current Arrival, exists bool, err error)

// RecordArrival records the current version of an object as its date's arrival
// and opens the date's entry in the queue. It returns the arrival and whether it
// changed anything.
//
// Notifications may be replayed or come out of order, so they are only hints:
// the registry's item is read first, the bucket next, and the item is written on
// condition that it has not changed since. What is written is therefore never older
// than what it replaces. An object that is gone is deleted from the registry; when
// the last one goes, its date leaves the queue ([Registry.LeaveEmpty]).
func (r *Registry) RecordArrival(ctx context.Context, mode etl.Mode, date, resource, object string, look Look) (Arrival, bool, error) {
	k := arrivalKey(mode, date, resource, object)
	for range tries {
		var stored Arrival
		known, err := r.get(ctx, k, &stored)
		if err != nil {
			return Arrival{}, false, err
		}
		current, exists, err := look(ctx)
		if err != nil {
			return Arrival{}, false, err
		}
		if exists {
			if err := r.openDate(ctx, mode, date); err != nil {
				return Arrival{}, false, err
			}
		}
		if exists == known && (!known || stored.Same(current)) {
			return stored, false, nil
		}
		w := write{key: k, condition: absent}
		if known {
			w.condition, w.values = "version_id = :version AND etag = :etag", map[string]types.AttributeValue{
				":version": &types.AttributeValueMemberS{Value: stored.VersionID},
				":etag":    &types.AttributeValueMemberS{Value: stored.ETag},
			}
		}
		if exists {
			current.key = k
			current.Resource, current.Key, current.RecordedAt = resource, object, r.now().UTC()
			w.item = current
		}
		failed, err := r.transact(ctx, w)
		if err != nil {
			return Arrival{}, false, fmt.Errorf("registry: record the arrival of %s: %w", object, err)
		}
		if len(failed) > 0 {
			continue
		}
		if exists { // the date may have left the queue while it was empty
			return current, true, r.openDate(ctx, mode, date)
		}
		_, err = r.LeaveEmpty(ctx, mode, date)
		return current, true, err
	}
	return Arrival{}, false, overtaken("record the arrival of " + object)
}

// openDate makes sure that a date without an import is in the queue.
func (r *Registry) openDate(ctx context.Context, mode etl.Mode, date string) error {
	for range tries {
		var entry Entry
		if found, err := r.get(ctx, queueKey(mode, date), &entry); err != nil || found {
			return err
		}
		if _, allotted, err := r.ImportOf(ctx, mode, date); err != nil || allotted {
			return err
		}
		entry = Entry{key: queueKey(mode, date), Mode: mode, FileDate: date, Since: r.now().UTC()}
		failed, err := r.transact(ctx,
			write{item: entry, condition: absent},
			write{key: dateImportKey(mode, date), check: true, condition: absent})
		if err != nil {
			return fmt.Errorf("registry: open %s %s: %w", mode, date, err)
		}
		if len(failed) == 0 {
			return nil
		}
	}
	return overtaken("open " + string(mode) + " " + date)
}

// Objects returns every arrival of a date, including several of one resource.
func (r *Registry) Objects(ctx context.Context, mode etl.Mode, date string) ([]Arrival, error) {
	return query[Arrival](ctx, r, dateKey(mode, date), "ARRIVAL#")
}

// Arrivals returns the newest arrival of each resource of a date, strongly
// consistent. Of several objects for one resource (alias, format) the one modified
// last counts; if both were modified in the same second, the one recorded last.
func (r *Registry) Arrivals(ctx context.Context, mode etl.Mode, date string) (map[string]Arrival, error) {
	all, err := r.Objects(ctx, mode, date)
	if err != nil {
		return nil, err
	}
	newest := make(map[string]Arrival, len(all))
	for _, a := range all {
		if best, ok := newest[a.Resource]; !ok || a.after(best) {
			newest[a.Resource] = a
		}
	}
	return newest, nil
}

// Same reports whether both are the same version of an object. In a bucket without
// versioning every version is "null", so the entity tag counts too.
func (a Arrival) Same(b Arrival) bool { return a.VersionID == b.VersionID && a.ETag == b.ETag }

func (a Arrival) after(b Arrival) bool {
	if !a.LastModified.Equal(b.LastModified) {
		return a.LastModified.After(b.LastModified)
	}
	return a.RecordedAt.After(b.RecordedAt)
}

func revisionValue(n int) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{":revision": &types.AttributeValueMemberN{Value: strconv.Itoa(n)}}
}

func importValue(importID string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{":import": &types.AttributeValueMemberS{Value: importID}}
}

// overtaken returns the error of a change that lost to other writers every time.
func overtaken(what string) error {
	return &fault.Transient{Op: "registry: " + what, Err: errOvertaken}
}
