package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"golang.org/x/sync/errgroup"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/etl"
)

// hostilePatience is how long the product may take under hostility.
const hostilePatience = 8 * time.Minute

// junkObjects is how many badly named objects arrive.
const junkObjects = 20_000

// junk puts badly named objects before, between and behind the ten files.
func junk(ctx context.Context, h *hostile) error {
	if err := h.litter(ctx, 0, junkObjects/2); err != nil {
		return err
	}
	if err := h.UploadAll(ctx, h.of); err != nil {
		return err
	}
	if err := h.litter(ctx, junkObjects/2, junkObjects); err != nil {
		return err
	}
	if err := h.await(ctx, etl.StatusSucceeded, 1); err != nil {
		return err
	}
	// A look at all of it, in parts: none fails, and none takes longer than a function may.
	const looks = 3
	for range looks {
		if err := h.sweep(ctx); err != nil {
			return err
		}
	}
	return nil
}

// litter puts the badly named objects of a range: ordinary names, names of 1,024
// bytes, and names with line feeds.
func (h *hostile) litter(ctx context.Context, from, to int) error {
	const uploads = 8
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(uploads)
	for n := from; n < to; n++ {
		key := fmt.Sprintf("%s/junk %05d.txt", h.mode, n)
		switch n % 100 {
		case 0:
			key += strings.Repeat("x", 1024-len(key))
		case 1:
			key += "\nIMPORT_20240101_000000_001 : «réussi»"
		}
		group.Go(func() error {
			_, err := h.S3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(h.Env["LANDING_BUCKET"]), Key: &key, Body: strings.NewReader("x")})
			return err
		})
	}
	return group.Wait()
}

// lostTopic lets an import fail and resumes it while nobody can be alerted.
func lostTopic(ctx context.Context, h *hostile) error {
	return h.withoutTopic(ctx, func() error {
		if err := h.failAt(ctx, "Stage"); err != nil {
			return err
		}
		if err := h.ask(ctx, "resume"); err != nil {
			return err
		}
		return h.await(ctx, etl.StatusSucceeded, h.imp.Attempts+1)
	})
}

// withoutTopic deletes the topic of the alerts while act runs. Once it is there
// again a sweep must tell what could not be told.
func (h *hostile) withoutTopic(ctx context.Context, act func() error) error {
	arn := h.Env["ALERTS_TOPIC_ARN"]
	if _, err := h.SNS.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: &arn}); err != nil {
		return err
	}
	err := act()
	_, again := h.SNS.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String(arn[strings.LastIndexByte(arn, ':')+1:])})
	if err = errors.Join(err, again); err != nil {
		return err
	}
	return stack.Wait(ctx, "the end to be told", hostilePatience, func() (bool, error) {
		if err := h.sweep(ctx); err != nil {
			return false, err
		}
		imp, _, err := h.ImportOf(ctx, h.of.Mode, h.of.Date)
		return imp.Reported(), err
	})
}

// startedByHand starts executions whose input nobody has decided. None may
// succeed, and the import of the files must not notice.
func startedByHand(ctx context.Context, h *hostile) error {
	other := map[string]string{"initial": "daily", "daily": "initial"}[h.mode]
	const unknown = "IMPORT_20200101_000000_001"
	if err := h.byHand(ctx, "before", map[string]any{"import_id": unknown, "generation": 1, "mode": other, "file_date": h.of.Date}); err != nil {
		return err
	}
	if err := h.failAt(ctx, "Stage"); err != nil {
		return err
	}
	for name, change := range map[string]map[string]any{
		"mode": {"mode": other}, "date": {"file_date": "2023-01-01"}, "generation": {"generation": h.imp.Generation + 1}, "same": {},
	} {
		input := map[string]any{"import_id": h.imp.ImportID, "generation": h.imp.Generation, "mode": h.mode, "file_date": h.of.Date}
		for member, value := range change {
			input[member] = value
		}
		if err := h.byHand(ctx, name, input); err != nil {
			return err
		}
	}
	if err := h.ask(ctx, "resume"); err != nil {
		return err
	}
	return h.await(ctx, etl.StatusSucceeded, h.imp.Attempts+1)
}

// byHand starts an execution, which must be refused by name.
func (h *hostile) byHand(ctx context.Context, name string, input map[string]any) error {
	body, err := json.Marshal(input)
	if err != nil {
		return err
	}
	started, err := h.SFN.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: aws.String(h.Env["STATE_MACHINE_ARN"]), Input: aws.String(string(body)),
		Name: aws.String(fmt.Sprintf("by-hand-%s-%s-%d", h.mode, name, time.Now().UnixNano())),
	})
	if err != nil {
		return err
	}
	var end *sfn.DescribeExecutionOutput
	if err := until(ctx, "the end of an execution that was started by hand", func() (bool, error) {
		end, err = h.SFN.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: started.ExecutionArn})
		return err == nil && end.Status != sfntypes.ExecutionStatusRunning, err
	}); err != nil {
		return err
	}
	if fault := aws.ToString(end.Error); end.Status != sfntypes.ExecutionStatusFailed || (fault != "Refused" && fault != "Superseded") {
		return fmt.Errorf("the execution that was started by hand (%s) ended %s with the error %q", name, end.Status, fault)
	}
	return nil
}

// lateOpen restarts an import before its first Open has run, and then lets that
// one run.
func lateOpen(ctx context.Context, h *hostile) error {
	if err := h.failAt(ctx, "Open"); err != nil {
		return err
	}
	first := h.imp
	if err := h.ask(ctx, "restart"); err != nil {
		return err
	}
	if err := h.openLate(ctx, first); err != nil {
		return err
	}
	return h.await(ctx, etl.StatusSucceeded, first.Attempts+1)
}

// openLate calls Open for a generation that is no longer the current one.
func (h *hostile) openLate(ctx context.Context, imp stack.Import) error {
	_, err := h.Invoke(ctx, "OpenFunction", map[string]any{
		"import":        map[string]any{"import_id": imp.ImportID, "generation": imp.Generation, "mode": h.mode, "file_date": h.of.Date},
		"execution_arn": imp.ExecutionARN, "attempt": 0,
	})
	var failed *stack.FunctionError
	if !errors.As(err, &failed) || failed.Type != "Superseded" {
		return fmt.Errorf("a late Open ended with %w, want Superseded", err)
	}
	return nil
}

// nextDate marks the reference of the date after a mode's own.
const nextDate = "+1"

// abandoned gives an import up while nobody can be alerted; the next date must
// start by itself.
func abandoned(ctx context.Context, h *hostile) error {
	if err := h.withoutTopic(ctx, func() error {
		if err := h.failAt(ctx, "Open"); err != nil {
			return err
		}
		first := h.imp
		if err := h.ask(ctx, "abandon"); err != nil {
			return err
		}
		return h.openLate(ctx, first)
	}); err != nil {
		return err
	}
	h.of = h.next
	if err := h.UploadAll(ctx, h.of); err != nil {
		return err
	}
	return h.await(ctx, etl.StatusSucceeded, 1)
}

// referNext makes the files of the next date, and the reference that their import
// is compared with. The stack is as before afterwards.
func referNext(ctx context.Context, h *hostile) error {
	h.next = stack.Set{
		Mode: h.mode, Date: map[string]string{"initial": "2024-10-02", "daily": "2024-10-09"}[h.mode],
		Folder: filepath.Join(h.Folder, "sample", h.mode+"-next"),
	}
	if err := makeSmall(ctx, h.next, "9"); err != nil {
		return err
	}
	if _, done := h.full[h.mode+nextDate]; done {
		return nil
	}
	if err := h.UploadAll(ctx, h.next); err != nil {
		return err
	}
	imp, err := h.end(ctx, h.next, 1)
	if err != nil || imp.Status != etl.StatusSucceeded {
		return fmt.Errorf("the undisturbed import of %s is «%s»: %w", h.next.Date, imp.Status, err)
	}
	if h.full[h.mode+nextDate], _, err = h.content(ctx, imp); err != nil {
		return err
	}
	return h.restore(ctx, h.baselines[h.mode])
}

// hugeCycle adds a cycle of records to the categories. All of them are rejected.
func hugeCycle(ctx context.Context, h *hostile) error {
	const length = 100_000
	spoiled, err := os.MkdirTemp(h.Folder, "cycle")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(spoiled) }()
	if err := os.CopyFS(spoiled, os.DirFS(h.of.Folder)); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(spoiled, "category_data_*.csv"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("%d files of categories in CSV, want one: %w", len(files), err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		return err
	}
	header, _, _ := strings.Cut(string(text), "\n")
	columns := strings.Split(strings.TrimSuffix(header, "\r"), ",")
	const first = 1_000_000
	var more bytes.Buffer
	if !bytes.HasSuffix(text, []byte("\n")) {
		more.WriteByte('\n')
	}
	for n := range length {
		values := map[string]string{
			"category_id": fmt.Sprint(first + n), "name": "Boucle", "parent_category_id": fmt.Sprint(first + (n+1)%length),
		}
		for i, column := range columns {
			if i > 0 {
				more.WriteByte(',')
			}
			more.WriteString(values[column])
		}
		more.WriteByte('\n')
	}
	if err := os.WriteFile(files[0], append(text, more.Bytes()...), 0o600); err != nil { //nolint:gosec // a generated file
		return err
	}
	of := h.of
	of.Folder, h.spoiled = spoiled, true
	if err := h.UploadAll(ctx, of); err != nil {
		return err
	}
	return h.await(ctx, etl.StatusSucceeded, 1)
}

// sweep calls the function of the sweep once.
func (h *hostile) sweep(ctx context.Context) error {
	_, err := h.Invoke(ctx, "SweepFunction", map[string]any{})
	return err
}
