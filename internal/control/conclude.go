package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"etl-dataloader/internal/alert"
	"etl-dataloader/internal/centrallog"
	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/queue"
	"etl-dataloader/internal/registry"
)

// Outcomes is what services need that find out how imports end and report it. The
// interfaces are mandatory.
type Outcomes struct {
	Histories Histories
	Alerts    landing.Alerter
	Reports   Reports

	Redrives     int           // automatic redrives without progress after a transient failure; 0: none
	RedriveDelay time.Duration // before the first of them; the later ones wait longer
}

func (o Outcomes) mandatory() []field {
	return []field{{"Histories", o.Histories != nil}, {"Alerts", o.Alerts != nil}, {"Reports", o.Reports != nil}}
}

// Reports writes the report of an import.
type Reports interface {
	// Write writes the report from the registry and returns its location, for people,
	// and its totals. It may be repeated.
	Write(ctx context.Context, importID string) (location string, totals registry.Counts, err error)
}

// Later schedules requests for a re-execution.
type Later interface {
	// Ask schedules the request for a time, to the minute. A second call with the
	// same name changes nothing, even if its other arguments differ. It fails with
	// *fault.Transient if the service did not answer.
	Ask(ctx context.Context, name string, at time.Time, request Request) error
}

// noSchedules is for services that make no schedules: the sweep makes the redrives
// that they plan.
type noSchedules struct{}

func (noSchedules) Ask(context.Context, string, time.Time, Request) error { return nil }

// concluder reports how imports ended, and plans automatic redrives.
type concluder struct {
	Common
	Outcomes
	later Later
}

// tellLimit bounds the time for reporting one import's end. The report of the
// largest import takes a few seconds.
const tellLimit = 30 * time.Second

// tell concludes an import within [tellLimit]. It logs a failure as an error, and
// the sweep tries again. The error it returns serves only to count the call as
// failed: nothing may depend on it.
func (c concluder) tell(ctx context.Context, imp registry.Import) error {
	ctx, cancel := context.WithTimeout(ctx, tellLimit)
	defer cancel()
	err := c.conclude(ctx, imp)
	if err != nil {
		c.Log.ErrorContext(ctx, LogUntold, centrallog.ImportID(imp.ImportID), centrallog.Step(etl.StepRerun), centrallog.Details(err.Error()))
	}
	return err
}

// conclude plans an automatic redrive if one can help, writes the report of an end,
// logs it, sends the alert, and settles it. The alert goes out even if the report
// cannot be written or the redrive cannot be planned. The sweep repeats what failed,
// so an alert may be sent twice, but is never lost.
func (c concluder) conclude(ctx context.Context, imp registry.Import) error {
	imp, planErr := c.plan(ctx, imp)
	location, totals, reportErr := c.Reports.Write(ctx, imp.ImportID)
	log := c.Log.With(centrallog.ImportID(imp.ImportID), slog.String("status", string(imp.Status)), slog.String("report", location),
		slog.Int("generation", imp.Generation), slog.Int("attempt", imp.Attempts))
	var alertErr error
	switch imp.Status {
	case etl.StatusSucceeded:
		log.InfoContext(ctx, logEnded, centrallog.Step(etl.StepPersistence))
		alertErr = c.Alerts.Alert(ctx, alert.Succeeded(imp.ImportID, imp.Mode, imp.FileDate, location, totals.NotEnriched))
	case etl.StatusFailed:
		log.ErrorContext(ctx, LogFailed, centrallog.Step(imp.Step), centrallog.Details(imp.Reason),
			slog.String("state", string(imp.State)), slog.String("error", string(imp.Fault)), slog.String("automatic", c.planned(imp)))
		alertErr = c.Alerts.Alert(ctx, alert.Failed(imp.ImportID, imp.Step, imp.Reason,
			fault.WhatToDo(imp.ImportID, imp.Fault, imp.Advice), c.planned(imp), location))
	}
	if err := errors.Join(planErr, reportErr, alertErr); err != nil {
		return fmt.Errorf("control: conclude import %s: %w", imp.ImportID, err)
	}
	return c.Registry.Settle(ctx, imp)
}

// delay is the pause before the nth automatic redrive since the last progress:
// 1, 5, 15, 30, 45 … times the base.
func (c concluder) delay(n int) time.Duration {
	switch n {
	case 1:
		return c.RedriveDelay
	case 2:
		return 5 * c.RedriveDelay
	default:
		return time.Duration(n-2) * 15 * c.RedriveDelay
	}
}

// plan decides whether a failed import is redriven automatically, and schedules the
// redrive. It may be repeated: a decision, once made, stands. The import returned
// shows the decision even if there is an error.
func (c concluder) plan(ctx context.Context, imp registry.Import) (registry.Import, error) {
	if c.Redrives <= 0 || imp.Status != etl.StatusFailed || !fault.Retryable(imp.Fault) {
		return imp, nil
	}
	if !imp.Decided() {
		units, err := c.Registry.Units(ctx, imp.ImportID, imp.Generation)
		if err != nil {
			return imp, err
		}
		if imp, err = c.Registry.PlanRedrive(ctx, imp, units, c.Redrives, c.delay); err != nil {
			return imp, err
		}
	}
	if imp.Automatic.At.IsZero() {
		return imp, nil
	}
	at := imp.Automatic.At
	if soon := c.Now().Add(time.Second); at.Before(soon) {
		at = soon
	}
	return imp, c.later.Ask(ctx, fmt.Sprintf("%s-a%d", imp.ImportID, imp.Attempts), at, automatic(imp))
}

// automatic returns the request for the redrive planned for imp.
func automatic(imp registry.Import) Request {
	return Request{ImportID: imp.ImportID, Mode: etl.KindResume, Attempt: imp.Attempts}
}

// planned returns what an alert says about an automatic redrive.
func (c concluder) planned(imp registry.Import) string {
	if imp.Fault == etl.FaultInvalidFile && slices.ContainsFunc(imp.Files, func(f registry.SealedFile) bool { return f.Status == etl.FileRejected }) {
		return FilesCorrected(imp.FileRestarts, queue.FileRestarts)
	}
	if !imp.Decided() {
		return ""
	}
	return AutomaticRedrive(imp.Automatic.Used, imp.Automatic.Limit, imp.Automatic.At)
}
