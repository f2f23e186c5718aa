package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/jackc/pgx/v5"

	"etl-dataloader/infra/proof/stack"
)

// order is what the source is told to do with calls; see infra/local/enrichment.
type order struct {
	Mode     string   `json:"mode"`
	Latency  int      `json:"latency_ms"`
	Poisoned []string `json:"poisoned,omitempty"`
	Keep     bool     `json:"keep"` // the counts go on
}

// counted are what the source was asked.
type counted struct {
	Lookups       int `json:"lookups"`
	Batches       int `json:"batches"`
	Answered      int `json:"answered"`       // distinct keys
	AnsweredAgain int `json:"answered_again"` // of them, more than once
}

func (s *source) order(ctx context.Context, o order) error {
	_, err := stack.Post(ctx, s.url()+"/faults", o, nil)
	return err
}

func (s *source) counts(ctx context.Context) (made counted, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url()+"/faults", nil)
	if err != nil {
		return made, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return made, err
	}
	defer func() { _ = response.Body.Close() }()
	return made, json.NewDecoder(response.Body).Decode(&made)
}

// nightSet is the set of an initial import of so many clients.
func nightSet(folder string, clients int) stack.Set {
	return stack.Set{Mode: "initial", Date: "2024-10-01", Folder: filepath.Join(folder, "sample", fmt.Sprintf("night-%d", clients))}
}

// makeNight makes the files of a set, unless they are there: so many clients, and few
// sales, which nobody enriches.
func makeNight(ctx context.Context, set stack.Set, clients, history int) error {
	if _, err := set.Files(); err == nil {
		return nil
	}
	options := []string{"-rows", strconv.Itoa(clients), "-seed", "16", "-empty", "return_data,payment_data"}
	if history > 0 {
		options = append(options, "-history-rows", strconv.Itoa(history))
	}
	if err := set.Make(ctx, options...); err != nil {
		return err
	}
	name, err := set.File("sales_data")
	if err != nil {
		return err
	}
	text, err := os.ReadFile(set.Path(name))
	if err != nil {
		return err
	}
	const sales = 1000
	kept := 0
	for range sales {
		kept += bytes.IndexByte(text[kept:], '\n') + 1
	}
	return os.WriteFile(set.Path(name), text[:kept], 0o600) //nolint:gosec // a generated file
}

// clientKeys returns the keys of the clients of a set by the lines of their records.
func clientKeys(set stack.Set) (keys map[int64]string, err error) {
	name, err := set.File("client_data")
	if err != nil {
		return nil, err
	}
	file, err := os.Open(set.Path(name))
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	keys = map[int64]string{}
	records := csv.NewReader(file)
	records.ReuseRecord = true
	column := -1
	for {
		record, err := records.Read()
		switch {
		case errors.Is(err, io.EOF):
			return keys, nil
		case err != nil:
			return nil, err
		case column < 0:
			if column = slices.Index(record, "client_id"); column < 0 {
				return nil, errors.New("the clients have no client_id")
			}
		default:
			line, _ := records.FieldPos(0)
			keys[int64(line)] = strings.Clone(record[column])
		}
	}
}

// keyDigest is what all that the source knows of a key follows from.
func keyDigest(key string) [sha256.Size]byte { return sha256.Sum256([]byte(key)) }

// answersRight fails unless each client has one event, with what the source knows of its
// own key or marked as not enriched.
func (n *nightRun) answersRight(ctx context.Context) error {
	keys, err := clientKeys(n.of)
	if err != nil {
		return err
	}
	wrong, failed := 0, 0
	if err := n.each(ctx, `SELECT line_number, enrichment, coalesce(data->>'loyalty_tier', '') FROM final.events WHERE import_id = $1 AND resource = 'clients'`,
		[]any{n.imp.ImportID}, func(line int64, status, tier string) {
			key, ok := keys[line]
			delete(keys, line)
			d := keyDigest(key)
			right := map[bool]string{true: "ok", false: "not_found"}[d[0] >= 5]
			if status == "failed" {
				failed++
				right, tier = status, ""
			}
			if !ok || status != right || (status == "ok" && tier != []string{"bronze", "argent", "or", "platine"}[d[2]%4]) {
				wrong++
			}
		}); err != nil {
		return err
	}
	if wrong > 0 || len(keys) > 0 || failed != n.failed {
		return fmt.Errorf("%d events have the answer for another key, %d clients have no event, %d are marked failed, want %d", wrong, len(keys), failed, n.failed)
	}
	return nil
}

// each passes the rows of a query.
func (s *system) each(ctx context.Context, query string, args []any, visit func(line int64, status, tier string)) error {
	conn, err := pgx.Connect(ctx, s.Env["DATABASE_URL"])
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, err := conn.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	var line int64
	var status, tier string
	_, err = pgx.ForEachRow(rows, []any{&line, &status, &tier}, func() error {
		visit(line, status, tier)
		return nil
	})
	return err
}

// ask runs a query of one row.
func (s *system) ask(ctx context.Context, query string, args []any, to ...any) error {
	conn, err := pgx.Connect(ctx, s.Env["DATABASE_URL"])
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	return conn.QueryRow(ctx, query, args...).Scan(to...)
}

// needed returns how many calls the import's units need at least, and their parts.
func (n *nightRun) needed(ctx context.Context) (calls, parts int, err error) {
	err = n.ask(ctx, `SELECT coalesce(sum(ceil((result->'answers'->>'records')::numeric / $2)) FILTER (WHERE phase = 'Enrich'), 0)::int,
		count(*) FILTER (WHERE phase LIKE 'Enrich/%') FROM etl.ledger WHERE import_id = $1 AND resource = 'clients'`, []any{n.imp.ImportID, n.batch}, &calls, &parts)
	return calls, parts, err
}

// configure changes the environment of a function.
func (s *system) configure(ctx context.Context, function string, variables map[string]string) (restore func(), err error) {
	name, err := s.Function(ctx, function)
	if err != nil {
		return nil, err
	}
	now, err := s.Lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
	if err != nil {
		return nil, err
	}
	set := func(ctx context.Context, environment map[string]string) error {
		_, err := s.Lambda.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
			FunctionName: &name, Environment: &lambdatypes.Environment{Variables: environment},
		})
		return err
	}
	changed := maps.Clone(now.Environment.Variables)
	maps.Copy(changed, variables)
	return func() { _ = set(context.WithoutCancel(ctx), now.Environment.Variables) }, set(ctx, changed)
}

// alerts are the messages to the operators, as a queue has them.
type alerts struct {
	system *system
	queue  string
	sent   []string
}

// subscribe lets a queue receive the alerts from now on.
func (s *system) subscribe(ctx context.Context) (*alerts, error) {
	var made struct {
		QueueURL string `json:"QueueUrl"`
	}
	if err := s.Call(ctx, "AmazonSQS.CreateQueue", map[string]any{"QueueName": "nights"}, &made); err != nil {
		return nil, err
	}
	var about struct{ Attributes map[string]string }
	if err := s.Call(ctx, "AmazonSQS.GetQueueAttributes", map[string]any{"QueueUrl": made.QueueURL, "AttributeNames": []string{"All"}}, &about); err != nil {
		return nil, err
	}
	topic, protocol, endpoint := s.Env["ALERTS_TOPIC_ARN"], "sqs", about.Attributes["QueueArn"]
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": map[string]any{
		"Effect": "Allow", "Principal": map[string]string{"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": endpoint,
		"Condition": map[string]any{"ArnEquals": map[string]string{"aws:SourceArn": topic}},
	}})
	if err != nil {
		return nil, err
	}
	if err := s.Call(ctx, "AmazonSQS.SetQueueAttributes", map[string]any{"QueueUrl": made.QueueURL, "Attributes": map[string]string{"Policy": string(policy)}}, &struct{}{}); err != nil {
		return nil, err
	}
	_, err = s.SNS.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: &protocol, Endpoint: &endpoint})
	return &alerts{system: s, queue: made.QueueURL}, err
}

// of counts the alerts that tell of a source for an import.
func (a *alerts) of(ctx context.Context, importID string) (sent int, err error) {
	for {
		var out struct {
			Messages []struct{ Body, ReceiptHandle string }
		}
		if err := a.system.Call(ctx, "AmazonSQS.ReceiveMessage", map[string]any{"QueueUrl": a.queue, "MaxNumberOfMessages": 10}, &out); err != nil {
			return 0, err
		}
		for _, m := range out.Messages {
			a.sent = append(a.sent, m.Body)
			if err := a.system.Call(ctx, "AmazonSQS.DeleteMessage", map[string]any{"QueueUrl": a.queue, "ReceiptHandle": m.ReceiptHandle}, &struct{}{}); err != nil {
				return 0, err
			}
		}
		if len(out.Messages) == 0 {
			break
		}
	}
	for _, body := range a.sent {
		if strings.Contains(body, importID) && strings.Contains(body, "Source d'enrichissement : ") {
			sent++
		}
	}
	return sent, nil
}
