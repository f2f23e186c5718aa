package phase_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/enrichment"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/phase"
	"etl-dataloader/internal/postgres/postgrestest"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/registry/registrytest"
)

var (
	server   *postgrestest.Server
	emulator *registrytest.Emulator
)

func TestMain(m *testing.M) {
	emulated := func() int { return registrytest.Run(m, func(e *registrytest.Emulator) { emulator = e }) }
	os.Exit(postgrestest.Run(emulated, func(s *postgrestest.Server) { server = s }))
}

// countingKMS is the emulator's KMS with a count of its calls.
type countingKMS struct {
	*kms.Client
	calls  atomic.Int64
	denied string // id of a key whose use is denied
}

func (c *countingKMS) GenerateDataKeyWithoutPlaintext(ctx context.Context, in *kms.GenerateDataKeyWithoutPlaintextInput, o ...func(*kms.Options)) (*kms.GenerateDataKeyWithoutPlaintextOutput, error) {
	c.calls.Add(1)
	if err := c.refuse("GenerateDataKeyWithoutPlaintext", in.KeyId); err != nil {
		return nil, err
	}
	return c.Client.GenerateDataKeyWithoutPlaintext(ctx, in, o...)
}

func (c *countingKMS) Decrypt(ctx context.Context, in *kms.DecryptInput, o ...func(*kms.Options)) (*kms.DecryptOutput, error) {
	c.calls.Add(1)
	if err := c.refuse("Decrypt", in.KeyId); err != nil {
		return nil, err
	}
	return c.Client.Decrypt(ctx, in, o...)
}

func (c *countingKMS) GenerateMac(ctx context.Context, in *kms.GenerateMacInput, o ...func(*kms.Options)) (*kms.GenerateMacOutput, error) {
	c.calls.Add(1)
	if err := c.refuse("GenerateMac", in.KeyId); err != nil {
		return nil, err
	}
	return c.Client.GenerateMac(ctx, in, o...)
}

var _ protection.KMS = (*countingKMS)(nil)

// newKMS returns the emulator's KMS with a key for fields and one for tokens.
func newKMS(t testing.TB) (client *countingKMS, fieldsKey, tokensKey string) {
	t.Helper()
	o := emulator.S3(t).Options()
	client = &countingKMS{Client: kms.New(kms.Options{Region: o.Region, Credentials: o.Credentials, BaseEndpoint: o.BaseEndpoint})}
	create := func(spec types.KeySpec, usage types.KeyUsageType) string {
		out, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: spec, KeyUsage: usage})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(out.KeyMetadata.KeyId)
	}
	return client, create(types.KeySpecSymmetricDefault, types.KeyUsageTypeEncryptDecrypt), create(types.KeySpecHmac256, types.KeyUsageTypeGenerateVerifyMac)
}

// fakeRegistry is what the phases need from the registry, in memory. The real
// one is met in TestOpenWithTheRegistry.
type fakeRegistry struct {
	mu       sync.Mutex
	imports  map[string]registry.Import
	arrivals map[string]map[string]registry.Arrival // by mode and date, then resource
	plans    map[string]map[string]int
	progress map[string]registry.Progress
	broken   error // what RecordProgress fails with
	silent   error // what AttemptsNow fails with

	statusBroken error // what RecordFileStatuses fails with, once
	statusSaved  bool  // although it has written

	shares map[string]int // calls in flight, by source and unit
	taken  bool           // others have all of them
	most   int            // calls of a unit; 0 is all
}

func newFakeRegistry() *fakeRegistry {
	return &fakeRegistry{
		imports: map[string]registry.Import{}, arrivals: map[string]map[string]registry.Arrival{},
		plans: map[string]map[string]int{}, progress: map[string]registry.Progress{},
		shares: map[string]int{},
	}
}

func (f *fakeRegistry) TakeSlot(ctx context.Context, importID string, check func(registry.Import) error) (registry.Import, error) {
	imp, err := f.Import(ctx, importID)
	if err == nil {
		err = check(imp)
	}
	return imp, err
}

func (f *fakeRegistry) Arrivals(_ context.Context, mode etl.Mode, date string) (map[string]registry.Arrival, error) {
	return f.arrivals[string(mode)+date], nil
}

func (f *fakeRegistry) Seal(_ context.Context, importID string, generation int, files []registry.SealedFile) ([]registry.SealedFile, error) {
	imp := f.imports[importID]
	if !imp.Sealed() {
		imp.Files, imp.SealedGeneration = files, generation
		f.imports[importID] = imp
	}
	return imp.Files, nil
}

func (f *fakeRegistry) Import(_ context.Context, importID string) (registry.Import, error) {
	imp, ok := f.imports[importID]
	if !ok {
		return registry.Import{}, fmt.Errorf("%s: %w", importID, registry.ErrNotFound)
	}
	return imp, nil
}

// AttemptsNow makes an attempt of each generation so far.
func (f *fakeRegistry) AttemptsNow(_ context.Context, importID, executionARN string, redrives int) (attempts []registry.Attempt, err error) {
	kind := etl.KindStart
	for n := 1; n <= f.imports[importID].Generation; n++ {
		attempts = append(attempts, registry.Attempt{Number: n, Generation: n, Kind: kind, Trigger: etl.TriggerFile, ExecutionARN: executionARN})
		kind = etl.KindRestart
	}
	if redrives > 0 {
		attempts = append(attempts, registry.Attempt{
			Number: len(attempts) + 1, Generation: len(attempts), Kind: etl.KindResume, Trigger: etl.TriggerConsole,
			ExecutionARN: executionARN, FailedStep: etl.StepPersistence, FailedReason: "raison",
		})
	}
	return attempts, f.silent
}

func (f *fakeRegistry) RecordPlan(_ context.Context, importID string, _ int, chunks map[string]int) error {
	f.plans[importID] = chunks
	return nil
}

// RecordFileStatuses keeps the statuses of the sealed files, as the real registry
// does. It fails with statusBroken once, before or after it has written.
func (f *fakeRegistry) RecordFileStatuses(_ context.Context, importID string, generation int, statuses map[string]registry.FileStatus) error {
	imp := f.imports[importID]
	if imp.Generation != generation || !imp.Sealed() {
		return &registry.ChangedError{Import: imp}
	}
	broken := f.statusBroken
	f.statusBroken = nil
	if broken != nil && !f.statusSaved {
		return broken
	}
	imp.Files = slices.Clone(imp.Files)
	for resource, status := range statuses {
		n := slices.IndexFunc(imp.Files, func(s registry.SealedFile) bool { return s.Resource == resource })
		if n < 0 {
			return fmt.Errorf("%s is not sealed", resource)
		}
		imp.Files[n].FileStatus = status
	}
	f.imports[importID] = imp
	return broken
}

// statusOf is the status of a sealed file.
func (f *fakeRegistry) statusOf(importID, resource string) registry.FileStatus {
	for _, file := range f.imports[importID].Files {
		if file.Resource == resource {
			return file.FileStatus
		}
	}
	return registry.FileStatus{}
}

func (f *fakeRegistry) RecordProgress(_ context.Context, importID string, generation int, p registry.Progress) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return f.broken
	}
	p.Seconds = 0
	f.progress[fmt.Sprintf("%s g%d %s %s %d", importID, generation, p.State, p.Resource, p.Chunk)] = p
	return nil
}

// TakeShare gives a unit all calls, or the most.
func (f *fakeRegistry) TakeShare(_ context.Context, source, unit string, total int, _ time.Duration) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.taken {
		return 0, nil
	}
	f.shares[source+" "+unit] = cmp.Or(f.most, total)
	return cmp.Or(f.most, total), nil
}

func (f *fakeRegistry) ReturnShare(_ context.Context, source, unit string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.shares, source+" "+unit)
	return nil
}

// sum adds up a state's progress of a resource.
func (f *fakeRegistry) sum(imp phase.Import, state etl.State, resource string) (total registry.Progress) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for unit, p := range f.progress {
		if strings.HasPrefix(unit, fmt.Sprintf("%s g%d ", imp.ImportID, imp.Generation)) && p.State == state && p.Resource == resource {
			total.Read += p.Read
			total.Valid += p.Valid
			total.Rejected += p.Rejected
			total.Enriched += p.Enriched
			total.NotEnriched += p.NotEnriched
			total.Persisted += p.Persisted
			total.Kept += p.Kept
			total.Skipped += p.Skipped
			total.Unterminated = total.Unterminated || p.Unterminated
		}
	}
	return total
}

// asked adds up what the sources of an import were asked.
func (f *fakeRegistry) asked(imp phase.Import) (total registry.Asked) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for unit, p := range f.progress {
		if strings.HasPrefix(unit, fmt.Sprintf("%s g%d ", imp.ImportID, imp.Generation)) && p.Enrichment != nil {
			total.Asked += p.Enrichment.Asked
			total.Calls += p.Enrichment.Calls
			total.Dropped += p.Enrichment.Dropped
		}
	}
	return total
}

// What a source answers that is sensitive.
const (
	segment = "segment-discret"
	score   = "0.58731"
)

// fakeSource knows every key but those it is told to fail or not to know.
type fakeSource struct {
	mu      sync.Mutex
	asked   []string
	calls   int
	fail    map[string]bool
	unknown map[string]bool
	before  func(keys []string) error // called by each Lookup, if set; its error is the call's
	tier    string                    // what it answers
	batch   int                       // 0: 2
	dropped int                       // members of each answer that the contract does not name
	values  string                    // what it answers in place of a client's fields, if set
}

func (f *fakeSource) Lookup(_ context.Context, keys []string) ([]enrichment.Outcome, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.before != nil {
		if err := f.before(keys); err != nil {
			return nil, err
		}
	}
	f.asked = append(f.asked, keys...)
	outcomes := make([]enrichment.Outcome, len(keys))
	for i, key := range keys {
		switch {
		case f.fail[key]:
			outcomes[i] = enrichment.Outcome{Status: etl.EnrichmentFailed, Code: enrichment.CodeTimeout}
		case f.unknown[key]:
			outcomes[i] = enrichment.Outcome{Status: etl.EnrichmentNotFound}
		default:
			values := cmp.Or(f.values, `{"segment":"`+segment+`","loyalty_tier":"`+f.tier+`","risk_score":`+score+`}`)
			outcomes[i] = enrichment.Outcome{Status: etl.EnrichmentOK, Values: json.RawMessage(values)}
		}
		outcomes[i].Dropped = f.dropped
	}
	return outcomes, nil
}

// fakeAlerts keeps the alerts.
type fakeAlerts struct {
	sent   []alert.Alert
	before func() error // called once, by the next alert, if set; an error is that of the alert, which is not sent
}

func (f *fakeAlerts) Alert(_ context.Context, a alert.Alert) error {
	if before := f.before; before != nil {
		f.before = nil
		if err := before(); err != nil {
			return err
		}
	}
	f.sent = append(f.sent, a)
	return nil
}

// logBuffer keeps the lines of a log.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// logLine is a line of the central log.
type logLine struct {
	Level    string   `json:"level"`
	Message  string   `json:"message"`
	File     string   `json:"file"`
	Line     int64    `json:"line_number"`
	Details  string   `json:"error_details"`
	Step     etl.Step `json:"processing_step"`
	ImportID string   `json:"import_id"`
	Resource string   `json:"resource"`
}

// lines returns the lines with a message.
func (b *logBuffer) lines(t *testing.T, text string) (found []logLine) {
	t.Helper()
	for line := range strings.Lines(b.String()) {
		var l logLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%q is no line of the central log: %v", line, err)
		}
		if l.Message == text {
			found = append(found, l)
		}
	}
	return found
}

// clock is the time of the tests; each call is a millisecond later.
type clock struct {
	mu   sync.Mutex
	n    int
	more time.Duration
}

// advance lets time pass.
func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.more += d
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return time.Date(2024, 10, 9, 15, 0, 0, 0, time.UTC).Add(c.more + time.Duration(c.n)*time.Millisecond)
}

// clientsEnriched is the contract with the one source of a line, that of the clients.
func clientsEnriched(t testing.TB) *contract.Package {
	t.Helper()
	pkg := loadContract(t)
	for _, r := range pkg.Resources {
		if r.Name != "clients" {
			r.Enrichment = nil
		}
	}
	return pkg
}

func loadContract(t testing.TB) *contract.Package {
	t.Helper()
	pkg, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}
