package phase_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/phase"
)

// breakage is what makes a key useless, and how the fault names it.
type breakage struct {
	name  string // of the case
	fault etl.Fault
	state string // of the key, if the fault is KeyUnusable
}

func breakages() []breakage {
	return []breakage{
		{"disabled", "KeyUnusable", fault.KeyDisabled}, {"pending deletion", "KeyUnusable", fault.KeyPendingDeletion}, {"denied", "AccessDenied", ""},
	}
}

// denial is how IAM refuses the use of a key.
func denial(action, key string) string {
	return fmt.Sprintf("User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform: %s on resource: arn:aws:kms:eu-west-3:123456789012:key/%s because no identity-based policy allows the %s action", action, key, action)
}

// refuse returns the error of a denied call, if the key is denied.
func (c *countingKMS) refuse(operation string, key *string) error {
	if c.denied == "" || aws.ToString(key) != c.denied {
		return nil
	}
	return &smithy.OperationError{ServiceID: "KMS", OperationName: operation, Err: &smithy.GenericAPIError{
		Code: "AccessDeniedException", Message: denial("kms:"+operation, c.denied), Fault: smithy.FaultClient,
	}}
}

// spoil makes a key of the emulator's KMS useless, until the returned function mends it.
func (c *countingKMS) spoil(t *testing.T, key string, b breakage) (mend func()) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	enable := func() {
		_, err := c.EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: &key})
		check(err)
	}
	switch b.name {
	case "disabled":
		_, err := c.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &key})
		check(err)
		return enable
	case "pending deletion":
		_, err := c.ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &key, PendingWindowInDays: aws.Int32(7)})
		check(err)
		return func() {
			_, err := c.CancelKeyDeletion(t.Context(), &kms.CancelKeyDeletionInput{KeyId: &key})
			check(err)
			enable()
		}
	default:
		c.denied = key
		return func() { c.denied = "" }
	}
}

// storageKey is the key behind the buckets. The emulator's S3 does not ask KMS, so this
// answers in its place as S3 does when KMS refuses (S3 API Reference, "Error responses").
type storageKey struct {
	s3.HTTPClient
	broken string // name of the breakage; empty: none
}

func (k *storageKey) Do(r *http.Request) (*http.Response, error) {
	const key = "arn:aws:kms:eu-west-3:123456789012:key/storage"
	status, code, text := http.StatusBadRequest, "", ""
	switch k.broken {
	case "disabled":
		code, text = "KMS.DisabledException", key+" is disabled."
	case "pending deletion":
		code, text = "KMS.KMSInvalidStateException", key+" is pending deletion."
	case "denied":
		action := map[bool]string{true: "kms:Decrypt", false: "kms:GenerateDataKey"}[r.Method == http.MethodGet]
		status, code, text = http.StatusForbidden, "AccessDenied", denial(action, "storage")
	default:
		return k.HTTPClient.Do(r)
	}
	body := fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>%s</Message><RequestId>1</RequestId></Error>`, code, text)
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/xml"}}, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

// behindKey puts the line's buckets behind a storage key.
func (l *line) behindKey(t *testing.T) *storageKey {
	t.Helper()
	key := &storageKey{HTTPClient: emulator.S3(t).Options().HTTPClient}
	client := s3.New(emulator.S3(t).Options(), func(o *s3.Options) { o.HTTPClient = key })
	l.landing, l.work = objectstore.New(client, l.landing.Bucket()), objectstore.New(client, l.work.Bucket())
	l.common.Work = l.work
	return key
}

// keyWalk walks an import past keys that break before every use.
type keyWalk struct {
	*run
	storage *storageKey
}

// spoil breaks the key of a use.
func (w *keyWalk) spoil(t *testing.T, use string, b breakage) (mend func()) {
	t.Helper()
	switch use {
	case "fields":
		return w.l.kms.spoil(t, w.l.fieldsKey, b)
	case "tokens":
		return w.l.kms.spoil(t, w.l.tokensKey, b)
	default:
		w.storage.broken = b.name
		return func() { w.storage.broken = "" }
	}
}

// fails runs a state once for each way in which each of its keys can break: it fails by
// name, says which key, and writes nothing.
func (w *keyWalk) fails(t *testing.T, state string, once func(context.Context) error, uses ...string) {
	t.Helper()
	before := w.l.dump(t)
	for _, use := range uses {
		named := map[string]string{"fields": w.l.fieldsKey, "tokens": w.l.tokensKey, "storage": "key/storage"}[use]
		for _, b := range breakages() {
			mend := w.spoil(t, use, b)
			err := fault.Lift(once(t.Context()))
			mend()
			if fault.Name(err) != b.fault || !strings.Contains(err.Error(), named) {
				t.Errorf("%s, %s key %s: got %v", state, use, b.name, err)
				continue
			}
			if unusable, ok := errors.AsType[*fault.KeyUnusable](err); ok && unusable.State != b.state {
				t.Errorf("%s, %s key %s: the state is %s", state, use, b.name, unusable.State)
			}
			if denied, ok := errors.AsType[*fault.AccessDenied](err); ok && !strings.HasPrefix(denied.Action, "kms:") {
				t.Errorf("%s, %s key %s: the action is %s", state, use, b.name, denied.Action)
			}
		}
	}
	if tables := differing(before, w.l.dump(t)); tables != nil {
		t.Errorf("%s without a key changes %v", state, tables)
	}
}

// TestKeyStates: whichever key is disabled, about to be deleted or denied, each state that
// uses it fails by name and writes nothing, and goes on once the key is back.
func TestKeyStates(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	w := &keyWalk{run: l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)), storage: l.behindKey(t)}
	const storage, fields, tokens = "storage", "fields", "tokens"

	w.openFails(t)
	w.through(t, "Open", "Open")
	w.fails(t, "Scan", call(phase.ScanIn{Import: w.imp, File: w.opened.Files[0]}, l.scan().Run), storage)
	w.through(t, "Scan", "Scan")
	w.fails(t, "Plan", call(w.planIn(), l.plan().Run), storage)
	w.through(t, "Plan", "Plan")
	_, chunk := w.chunkOf(t, "clients")
	in := phase.ChunkIn{Import: w.imp, Chunk: chunk}
	w.fails(t, "Protect", call(in, l.protect().Run), storage, fields, tokens)
	staged := w.protectedClients(t)
	w.fails(t, "Stage", call(staged, l.stage().Run), storage)
	do(t, w.run, "Stage", staged, l.stage().Run)
	w.fails(t, "Validate", call(staged, l.validate().Run), storage, fields)
	w.through(t, "Raw", "CrossCheck")
	enriched := w.manifest(t, w.planned.Enrichment[0].Manifest)
	w.fails(t, "Enrich", call(phase.EnrichIn{ChunkIn: phase.ChunkIn{Import: w.imp, Chunk: enriched[0]}}, l.enrich().Run), storage, fields)
	w.through(t, "Enrich", "Enrich")
	w.fails(t, "Transform", call(in, l.transform().Run), storage)
	prepared := phase.PrepareIn{ChunkIn: in, Transformed: do(t, w.run, "Transform", in, l.transform().Run)}
	w.fails(t, "Prepare", call(prepared, l.prepare().Run), storage)
	w.through(t, "Events", "Publish")
	l.expectPublished(t, w.run, day(), map[string]int64{})
}

// openFails runs Open, which opens the import before it asks for a data key: it leaves
// the import's row, and no data key.
func (w *keyWalk) openFails(t *testing.T) {
	t.Helper()
	once := call(w.openIn(), w.l.open().Run)
	mend := w.spoil(t, "fields", breakages()[0])
	err := once(t.Context())
	mend()
	if err == nil {
		t.Error("Open needs no key")
	}
	w.fails(t, "Open", once, "fields")
	if n := w.l.count(t, `SELECT count(*) FROM etl.data_keys`); n != 0 {
		t.Errorf("%d data keys are stored", n)
	}
}

// TestForeignDataKey: the data key of another import opens nothing, whatever the state of
// an execution says: KMS refuses it by the encryption context. One that another KMS key
// wrapped is refused by name.
func TestForeignDataKey(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	first := l.upload(t, etl.ModeDaily, "2024-10-07", day().csv(t)).through(t, "Open", "Plan")
	second := l.upload(t, etl.ModeDaily, "2024-10-08", day().csv(t)).through(t, "Open", "Plan")
	_, chunk := second.chunkOf(t, "clients")
	forged := phase.ChunkIn{Import: second.imp, Chunk: chunk}
	forged.Import.KeyID, forged.Import.WrappedKey = first.imp.KeyID, first.imp.WrappedKey
	if _, err := l.protect().Run(t.Context(), forged); err == nil || !strings.Contains(err.Error(), "InvalidCiphertextException") {
		t.Errorf("Protect seals with the data key of another import: %v", err)
	}
	_, l.fieldsKey, _ = newKMS(t)
	_, err := l.protect().Run(t.Context(), phase.ChunkIn{Import: second.imp, Chunk: chunk})
	if unusable, ok := errors.AsType[*fault.KeyUnusable](fault.Lift(err)); !ok || unusable.State != fault.KeyIncorrect {
		t.Errorf("Protect opens the data key with another KMS key: %v", err)
	}
}
