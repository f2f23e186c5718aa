//go:build e2e

package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// line is one line of the central log.
type line struct {
	Level    string `json:"level"`
	Message  string `json:"message"`
	File     string `json:"file"`
	Line     int64  `json:"line_number"`
	Details  string `json:"error_details"`
	Step     string `json:"processing_step"`
	System   string `json:"system"`
	ImportID string `json:"import_id"`
	Key      string `json:"key"`
	Time     string `json:"timestamp"`
}

// alert is a message that operators receive.
type alert struct{ Subject, Message string }

// messages returns what was written to a log group since a time, the zero time
// being the beginning.
func (s *system) messages(t *testing.T, group string, since time.Time) []string {
	t.Helper()
	var all []string
	in := map[string]any{"logGroupName": group, "limit": 10000}
	if !since.IsZero() {
		in["startTime"] = since.UnixMilli()
	}
	for {
		var out struct {
			Events    []struct{ Message string }
			NextToken string
		}
		s.call(t, "Logs_20140328.FilterLogEvents", in, &out)
		for _, e := range out.Events {
			all = append(all, e.Message)
		}
		if out.NextToken == "" {
			return all
		}
		in["nextToken"] = out.NextToken
	}
}

// logGroup is the group of the central log.
func (s *system) logGroup() string { return "/etl-dataloader/" + s.Name }

// log returns the lines of the central log for which keep holds.
func (s *system) log(t *testing.T, keep func(line) bool) []line {
	t.Helper()
	var kept []line
	for _, m := range s.messages(t, s.logGroup(), time.Time{}) {
		var l line
		if json.Unmarshal([]byte(m), &l) == nil && l.System == "ETL-DataLoader" && keep(l) {
			kept = append(kept, l)
		}
	}
	return kept
}

// awaitLog waits for a line of the central log.
func (s *system) awaitLog(t *testing.T, what string, keep func(line) bool) line {
	t.Helper()
	var found []line
	until(t, "a log line: "+what, func() (bool, error) {
		found = s.log(t, keep)
		return len(found) > 0, nil
	})
	return found[0]
}

// subscribe lets the queue of all tests receive the alerts from now on.
func (s *system) subscribe(t *testing.T) {
	t.Helper()
	var queue struct {
		QueueURL string `json:"QueueUrl"`
	}
	s.call(t, "AmazonSQS.CreateQueue", map[string]any{"QueueName": "e2e-alerts"}, &queue)
	s.queue = queue.QueueURL
	var attributes struct{ Attributes map[string]string }
	s.call(t, "AmazonSQS.GetQueueAttributes", map[string]any{"QueueUrl": s.queue, "AttributeNames": []string{"All"}}, &attributes)
	topic, protocol, endpoint := s.Env["ALERTS_TOPIC_ARN"], "sqs", attributes.Attributes["QueueArn"]
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": map[string]any{
		"Effect": "Allow", "Principal": map[string]string{"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": endpoint,
		"Condition": map[string]any{"ArnEquals": map[string]string{"aws:SourceArn": topic}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.call(t, "AmazonSQS.SetQueueAttributes", map[string]any{"QueueUrl": s.queue, "Attributes": map[string]string{"Policy": string(policy)}}, &struct{}{})
	if _, err := s.SNS.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: &topic, Protocol: &protocol, Endpoint: &endpoint}); err != nil {
		t.Fatal(err)
	}
}

// awaitAlert waits for an alert whose subject or text holds all the texts.
func (s *system) awaitAlert(t *testing.T, texts ...string) alert {
	t.Helper()
	var found alert
	until(t, "an alert with "+strings.Join(texts, ", "), func() (bool, error) {
		s.receive(t)
		for _, a := range s.alerts {
			all := true
			for _, text := range texts {
				all = all && strings.Contains(a.Subject+"\n"+a.Message, text)
			}
			if all {
				found = a
				return true, nil
			}
		}
		return false, nil
	})
	return found
}

// receive takes the alerts that are waiting in the queue, and notes them for the
// tests that follow.
func (s *system) receive(t *testing.T) {
	t.Helper()
	before := len(s.alerts)
	for {
		var out struct {
			Messages []struct{ Body, ReceiptHandle string }
		}
		s.call(t, "AmazonSQS.ReceiveMessage", map[string]any{"QueueUrl": s.queue, "MaxNumberOfMessages": 10}, &out)
		for _, m := range out.Messages {
			var a alert
			if err := json.Unmarshal([]byte(m.Body), &a); err != nil {
				t.Fatal(err)
			}
			s.alerts = append(s.alerts, a)
			s.call(t, "AmazonSQS.DeleteMessage", map[string]any{"QueueUrl": s.queue, "ReceiptHandle": m.ReceiptHandle}, &struct{}{})
		}
		if len(out.Messages) == 0 {
			break
		}
	}
	if len(s.alerts) > before {
		s.note(t, alertsFile, s.alerts)
	}
}
