package control_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"etl-dataloader/internal/audit"
	"etl-dataloader/internal/awstest/memory"
	"etl-dataloader/internal/caller"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/control"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/executions"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/objectstore"
	"etl-dataloader/internal/registry"
	"etl-dataloader/internal/registry/registrytest"
	"etl-dataloader/internal/schedule"
)

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
	audit    *trail
	log      *bytes.Buffer
	setup    setup

	// built from setup
	advancer *control.Advancer
	tracker  *control.Tracker
	sweeper  *control.Sweeper
	rerunner *control.Rerunner
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

// setup is what the services of a house are built from. Without Landing they look at
// the house's bucket, without Reruns what needs the database is done at once.
type setup struct {
	control.Common
	control.Outcomes
	Reruns      control.Reruns
	Later       control.Later
	Definitions control.Definitions
	Fence       control.Fence
	Work        control.WorkObjects
	Audit       audit.Trail
	Replays     control.Replays

	DaysBack        int
	InitialDeadline time.Duration
}

func open(t *testing.T, options ...func(*setup)) *house {
	t.Helper()
	clock := &registrytest.Clock{}
	h := &house{
		t: t, clock: clock, table: &memory.Table{}, objects: &memory.Bucket{Now: clock.Now},
		machine: &machine{clock: clock, executions: map[string]*execution{}},
		inbox:   &inbox{}, reports: &reports{}, fence: &fence{current: map[string]int{}, states: map[string][]string{}}, work: &work{dropped: map[string]int{}}, audit: &trail{}, log: &bytes.Buffer{},
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
	machine := stateMachine(t, h.machine)
	h.setup = setup{
		Common: control.Common{
			Registry: h.registry, Executions: machine, Names: names, Log: centrallog.New(h.log, slog.LevelInfo), Now: clock.Now, Zone: paris,
			StateMachineARN: machineARN, NoHistory: true, MaxFutureDays: 1,
		},
		Outcomes:    control.Outcomes{Histories: machine, Alerts: h.inbox, Reports: h.reports},
		Later:       schedule.Later{Client: &schedules{made: map[string]*scheduler.CreateScheduleInput{}}},
		Replays:     control.Replays{Executions: stateMachineOf(t, h.machine, replayARN), StateMachineARN: replayARN},
		Definitions: machine, Fence: h.fence, Work: h.work, Audit: h.audit, DaysBack: 1,
	}
	h.rebuild(options...)
	return h
}

// rebuild changes the setup of a house and builds its services anew.
func (h *house) rebuild(changes ...func(*setup)) {
	h.t.Helper()
	for _, change := range changes {
		change(&h.setup)
	}
	s := h.setup
	recorder, recorderErr := landing.NewRecorder(landing.Config{
		Bucket: bucketName, Objects: objectstore.NewListing(h.objects, bucketName), Registry: s.Registry, Names: s.Names, Alerts: h.inbox, Log: s.Log,
		Horizon: landing.Horizon{Now: s.Now, Zone: s.Zone, Days: s.MaxFutureDays},
	})
	if s.Landing == nil {
		s.Landing = recorder
	}
	if s.Reruns == nil {
		s.Reruns = atOnce{h}
	}
	var errs [5]error
	h.advancer, errs[0] = control.NewAdvancer(control.AdvancerConfig{Common: s.Common, Reruns: s.Reruns})
	h.tracker, errs[1] = control.NewTracker(control.TrackerConfig{Common: s.Common, Outcomes: s.Outcomes, Reruns: s.Reruns, Later: s.Later, Replays: s.Replays})
	h.sweeper, errs[2] = control.NewSweeper(control.SweeperConfig{
		Common: s.Common, Outcomes: s.Outcomes, Reruns: s.Reruns, Later: s.Later, Replays: s.Replays, DaysBack: s.DaysBack, InitialDeadline: s.InitialDeadline,
	})
	h.rerunner, errs[3] = control.NewRerunner(control.RerunnerConfig{
		Common: s.Common, Outcomes: s.Outcomes, Definitions: s.Definitions, Fence: s.Fence, Work: s.Work, Audit: s.Audit, Replays: s.Replays, Sources: []string{"clients", "produits"},
	})
	h.intake, errs[4] = landing.NewIntake(recorder, h.advancer)
	if err := errors.Join(append(errs[:], recorderErr)...); err != nil {
		h.t.Fatal(err)
	}
}

// atOnce has a house do at once what needs the database.
type atOnce struct{ house *house }

func (a atOnce) Ask(ctx context.Context, request control.Request) error {
	_, err := a.house.rerunner.Rerun(ctx, caller.Identity{}, request)
	return err
}

// stateMachine is the state machine of a fake Step Functions.
func stateMachine(t *testing.T, service executions.StepFunctions) *executions.Machine {
	t.Helper()
	return stateMachineOf(t, service, machineARN)
}

func stateMachineOf(t *testing.T, service executions.StepFunctions, arn string) *executions.Machine {
	t.Helper()
	m, err := executions.New(service, arn)
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
	if _, err := h.sweeper.Sweep(h.t.Context(), event); err != nil {
		h.t.Fatalf("sweep: %v", err)
	}
}

// track hands a status event of an execution to track.
func (h *house) track(arn string) error {
	var event control.StatusEvent
	event.Detail.ExecutionARN, event.Detail.StateMachineARN = arn, machineARN
	_, err := h.tracker.Track(h.t.Context(), event)
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
