package control_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/awstest/memory"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/executions"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/registry/registrytest"
)

const (
	bucketName = "landing"
	machineARN = "arn:aws:states:eu-west-3:111122223333:stateMachine:import"
)

var (
	errLost    = errors.New("connection reset")
	errRefused = errors.New("access denied")
)

// execution is one execution of the fake state machine.
type execution struct {
	input     string
	status    sfntypes.ExecutionStatus
	redrives  int32
	error     string
	cause     string
	tooOld    bool
	why       string // not redrivable
	started   string // the definition that it runs
	stoppedAt time.Time

	redrivenAt time.Time // zero: not told
}

// machine answers as Step Functions does. Calls named in fail fail once, before
// ("Start") or after ("Start saved") they took effect.
type machine struct {
	mu         sync.Mutex
	clock      *registrytest.Clock
	executions map[string]*execution // by ARN
	starts     int
	redrives   int
	fail       string
	definition string // of the state machine, now
	histories  map[string][]sfntypes.HistoryEvent
	children   map[string][]string // executions of a map run
}

// failing tells whether the call fails now.
func (m *machine) failing(call string) bool {
	if m.fail != call {
		return false
	}
	m.fail = ""
	return true
}

func (m *machine) StartExecution(_ context.Context, in *sfn.StartExecutionInput, _ ...func(*sfn.Options)) (*sfn.StartExecutionOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing("Start") {
		return nil, errLost
	}
	arn := strings.Replace(machineARN, ":stateMachine:", ":execution:", 1) + ":" + *in.Name
	if e, ok := m.executions[arn]; ok && (e.status != sfntypes.ExecutionStatusRunning || e.input != *in.Input) {
		return nil, &sfntypes.ExecutionAlreadyExists{}
	} else if !ok {
		m.starts++
		m.executions[arn] = &execution{input: *in.Input, status: sfntypes.ExecutionStatusRunning, started: m.definition}
	}
	if m.failing("Start saved") {
		return nil, errLost
	}
	return &sfn.StartExecutionOutput{ExecutionArn: &arn}, nil
}

func (m *machine) DescribeExecution(_ context.Context, in *sfn.DescribeExecutionInput, _ ...func(*sfn.Options)) (*sfn.DescribeExecutionOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing("Describe") {
		return nil, errLost
	}
	e, ok := m.executions[*in.ExecutionArn]
	if !ok {
		return nil, &sfntypes.ExecutionDoesNotExist{}
	}
	out := &sfn.DescribeExecutionOutput{
		ExecutionArn: in.ExecutionArn, Status: e.status, RedriveCount: aws.Int32(e.redrives), Input: &e.input,
		RedriveStatus: sfntypes.ExecutionRedriveStatusRedrivable,
	}
	if e.tooOld {
		out.RedriveStatus, out.RedriveStatusReason = sfntypes.ExecutionRedriveStatusNotRedrivable, &e.why
	}
	if !e.redrivenAt.IsZero() {
		out.RedriveDate = &e.redrivenAt
	}
	if e.status != sfntypes.ExecutionStatusRunning {
		out.StopDate = &e.stoppedAt
	}
	if e.error != "" {
		out.Error, out.Cause = &e.error, &e.cause
	}
	return out, nil
}

func (m *machine) RedriveExecution(_ context.Context, in *sfn.RedriveExecutionInput, _ ...func(*sfn.Options)) (*sfn.RedriveExecutionOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing("Redrive") {
		return nil, errLost
	}
	e := m.executions[*in.ExecutionArn]
	if e == nil || e.tooOld || e.status == sfntypes.ExecutionStatusRunning || e.status == sfntypes.ExecutionStatusSucceeded {
		return nil, &sfntypes.ExecutionNotRedrivable{}
	}
	m.redrives++
	e.redrives++
	e.status, e.error, e.cause = sfntypes.ExecutionStatusRunning, "", ""
	if m.failing("Redrive saved") {
		return nil, errLost
	}
	return &sfn.RedriveExecutionOutput{RedriveDate: aws.Time(m.clock.Now())}, nil
}

func (m *machine) DescribeStateMachine(_ context.Context, _ *sfn.DescribeStateMachineInput, _ ...func(*sfn.Options)) (*sfn.DescribeStateMachineOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing("Definition") {
		return nil, errLost
	}
	return &sfn.DescribeStateMachineOutput{Definition: aws.String(m.definition)}, nil
}

func (m *machine) DescribeStateMachineForExecution(_ context.Context, in *sfn.DescribeStateMachineForExecutionInput, _ ...func(*sfn.Options)) (*sfn.DescribeStateMachineForExecutionOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing("Definition of the execution") {
		return nil, errLost
	}
	return &sfn.DescribeStateMachineForExecutionOutput{Definition: aws.String(m.executions[*in.ExecutionArn].started)}, nil
}

func (m *machine) StopExecution(_ context.Context, in *sfn.StopExecutionInput, _ ...func(*sfn.Options)) (*sfn.StopExecutionOutput, error) {
	m.end(*in.ExecutionArn, sfntypes.ExecutionStatusAborted, "", "")
	return &sfn.StopExecutionOutput{}, nil
}

func (m *machine) GetExecutionHistory(_ context.Context, in *sfn.GetExecutionHistoryInput, _ ...func(*sfn.Options)) (*sfn.GetExecutionHistoryOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing("History") {
		return nil, errLost
	}
	events := slices.Clone(m.histories[*in.ExecutionArn])
	slices.Reverse(events)
	return &sfn.GetExecutionHistoryOutput{Events: events}, nil
}

func (m *machine) ListExecutions(_ context.Context, in *sfn.ListExecutionsInput, _ ...func(*sfn.Options)) (*sfn.ListExecutionsOutput, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := &sfn.ListExecutionsOutput{}
	for _, arn := range m.children[*in.MapRunArn] {
		out.Executions = append(out.Executions, sfntypes.ExecutionListItem{ExecutionArn: &arn})
	}
	return out, nil
}

// end ends an execution.
func (m *machine) end(arn string, status sfntypes.ExecutionStatus, name, cause string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.executions[arn]
	e.status, e.error, e.cause, e.stoppedAt = status, name, cause, m.clock.Now()
}

// inbox collects the alerts.
type inbox struct {
	mu     sync.Mutex
	alerts []alert.Alert
	fail   bool // the next alert fails
	refuse bool // every alert fails: the topic is deleted, or its key denied
}

// maxMessage is the longest message that SNS takes, in bytes (Amazon SNS API
// reference, Publish).
const maxMessage = 256 << 10

func (b *inbox) Alert(_ context.Context, a alert.Alert) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail {
		b.fail = false
		return errLost
	}
	if b.refuse || len(a.Text) > maxMessage {
		return errRefused
	}
	b.alerts = append(b.alerts, a)
	return nil
}

func (b *inbox) subjects() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	subjects := []string{}
	for _, a := range b.alerts {
		subjects = append(subjects, strings.TrimPrefix(a.Subject, "ETL-DataLoader : "))
	}
	return subjects
}

// reports counts the reports written.
type reports struct {
	mu      sync.Mutex
	written []string
	fail    bool // the next report fails
	refuse  bool // every report fails
}

func (r *reports) Write(_ context.Context, importID string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail {
		r.fail = false
		return "s3://work/" + importID, errLost
	}
	if r.refuse {
		return "s3://work/" + importID, errRefused
	}
	r.written = append(r.written, importID)
	return "s3://work/" + importID, nil
}

// house is all parts together: the real registry on a table and a bucket in memory, a fake state machine.
type house struct {
	t        *testing.T
	clock    *registrytest.Clock
	registry *registry.Registry
	table    *memory.Table
	objects  *memory.Bucket
	machine  *machine
	inbox    *inbox
	reports  *reports
	fence    *fence
	work     *work
	log      *bytes.Buffer
	control  *control.Control
	intake   *landing.Intake
}

// types are the ten files of the product.
var types = []landing.FileType{
	{Resource: "clients", Prefix: "client_data", Alias: "clients"},
	{Resource: "produits", Prefix: "product_data", Alias: "produits"},
	{Resource: "categories", Prefix: "category_data", Alias: "categories"},
	{Resource: "ventes", Prefix: "sales_data", Alias: "ventes"},
	{Resource: "magasins", Prefix: "store_data", Alias: "magasins"},
	{Resource: "fournisseurs", Prefix: "supplier_data", Alias: "fournisseurs"},
	{Resource: "stocks", Prefix: "stock_data", Alias: "stocks"},
	{Resource: "paiements", Prefix: "payment_data", Alias: "paiements"},
	{Resource: "retours", Prefix: "return_data", Alias: "retours"},
	{Resource: "employes", Prefix: "employee_data", Alias: "employes"},
}

func open(t *testing.T, options ...func(*control.Config)) *house {
	t.Helper()
	clock := &registrytest.Clock{}
	h := &house{
		t: t, clock: clock, table: &memory.Table{}, objects: &memory.Bucket{Now: clock.Now},
		machine: &machine{clock: clock, executions: map[string]*execution{}},
		inbox:   &inbox{}, reports: &reports{}, fence: &fence{current: map[string]int{}, states: map[string][]string{}}, work: &work{dropped: map[string]int{}}, log: &bytes.Buffer{},
	}
	h.registry = registry.New(h.table, "registry", clock.Now)
	names, err := landing.NewNames(types)
	if err != nil {
		t.Fatal(err)
	}
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	log := centrallog.New(h.log, slog.LevelInfo)
	machine := stateMachine(t, h.machine)
	config := control.Config{
		Registry: h.registry, Executions: machine, Histories: machine, Definitions: machine, Names: names, Alerts: h.inbox,
		Reports: h.reports, Fence: h.fence, Work: h.work, Log: log, Now: clock.Now, StateMachineARN: machineARN,
		NoHistory: true, Zone: paris, DaysBack: 1, MaxFutureDays: 1,
	}
	for _, o := range options {
		o(&config)
	}
	if h.control, err = control.New(config); err != nil {
		t.Fatal(err)
	}
	h.intake, err = landing.NewIntake(landing.Config{
		Bucket: bucketName, Objects: objectstore.NewListing(h.objects, bucketName), Registry: h.registry, Names: names, Alerts: h.inbox, Starter: h.control, Log: log,
		Horizon: landing.Horizon{Now: clock.Now, Zone: paris, Days: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.control.Landing = h.intake
	return h
}

// stateMachine is the state machine of a fake Step Functions.
func stateMachine(t *testing.T, service executions.StepFunctions) *executions.Machine {
	t.Helper()
	m, err := executions.New(service, machineARN)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// upload puts an object into the bucket; no notification is sent.
func (h *house) upload(key, content string) {
	h.t.Helper()
	_, err := h.objects.PutObject(h.t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucketName), Key: &key, Body: strings.NewReader(content)})
	if err != nil {
		h.t.Fatalf("upload %s: %v", key, err)
	}
}

// notify hands the notification of an object to intake.
func (h *house) notify(key string) (landing.Answer, error) {
	var event landing.Event
	event.Detail.Bucket.Name, event.Detail.Object.Key = bucketName, key
	return h.intake.Handle(h.t.Context(), event)
}

func (h *house) arrive(keys ...string) {
	h.t.Helper()
	for _, key := range keys {
		h.upload(key, "content")
		if _, err := h.notify(key); err != nil {
			h.t.Fatalf("notify %s: %v", key, err)
		}
	}
}

// files are the keys of a date's ten files.
func files(mode etl.Mode, date string) []string {
	keys := make([]string, len(types))
	for i, t := range types {
		keys[i] = fmt.Sprintf("%s/%s_%s.csv", mode, t.Prefix, strings.ReplaceAll(date, "-", ""))
	}
	return keys
}

func (h *house) sweep(event control.SweepEvent) {
	h.t.Helper()
	if _, err := h.control.Sweep(h.t.Context(), event); err != nil {
		h.t.Fatalf("sweep: %v", err)
	}
}

// track hands a status event of an execution to track.
func (h *house) track(arn string) error {
	var event control.StatusEvent
	event.Detail.ExecutionARN, event.Detail.StateMachineARN = arn, machineARN
	_, err := h.control.Track(h.t.Context(), event)
	return err
}

// end ends the current execution of an import and hands the event to track.
func (h *house) end(imp registry.Import, status sfntypes.ExecutionStatus, name string) registry.Import {
	h.t.Helper()
	h.clock.Move(time.Minute)
	h.machine.end(imp.ExecutionARN, status, name, "")
	if err := h.track(imp.ExecutionARN); err != nil {
		h.t.Fatalf("track: %v", err)
	}
	return h.load(imp.ImportID)
}

func (h *house) load(importID string) registry.Import {
	h.t.Helper()
	imp, err := h.registry.Import(h.t.Context(), importID)
	if err != nil {
		h.t.Fatal(err)
	}
	return imp
}

// importOf returns the import of a date.
func (h *house) importOf(mode etl.Mode, date string) registry.Import {
	h.t.Helper()
	id, ok, err := h.registry.ImportOf(h.t.Context(), mode, date)
	if err != nil || !ok {
		h.t.Fatalf("%s %s has no import: %v", mode, date, err)
	}
	return h.load(id)
}

func (h *house) hasImport(mode etl.Mode, date string) bool {
	h.t.Helper()
	_, ok, err := h.registry.ImportOf(h.t.Context(), mode, date)
	if err != nil {
		h.t.Fatal(err)
	}
	return ok
}

// attempts lists the kinds and triggers of an import's attempts.
func (h *house) attempts(importID string) []string {
	h.t.Helper()
	all, err := h.registry.Attempts(h.t.Context(), importID)
	if err != nil {
		h.t.Fatal(err)
	}
	var list []string
	for _, a := range all {
		list = append(list, string(a.Kind)+" "+string(a.Trigger))
	}
	return list
}

// logged returns the lines of the central log with that message.
func (h *house) logged(text string) []map[string]any {
	h.t.Helper()
	var found []map[string]any
	for line := range strings.Lines(h.log.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			h.t.Fatalf("log line %q: %v", line, err)
		}
		if entry["message"] == text {
			found = append(found, entry)
		}
	}
	return found
}
