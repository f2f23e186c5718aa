// Package alert sends alerts to people, by a topic of Amazon SNS.
package alert

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sns"

	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
)

// Alert is a notification for the operators. Its subject is plain ASCII with fewer
// than 100 characters, as Amazon SNS requires for e-mail (API reference, Publish). Its
// text may have several lines; text from outside never adds one.
type Alert struct{ Subject, Text string }

// AlertBytes and SubjectBytes bound an alert far below the limits of Amazon SNS: 256 KiB
// for a message, fewer than 100 ASCII characters for a subject (API reference, Publish).
const (
	// AlertBytes bounds the whole text, which holds several texts of [message.TextBytes].
	AlertBytes = 16 << 10
	// SubjectBytes bounds the subject.
	SubjectBytes = 99
)

// Bounded returns the alert in a form that Amazon SNS accepts: a subject of printable
// ASCII, and a text of bounded length without line breaks from outside.
func (a Alert) Bounded() Alert {
	subject := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, a.Subject)
	return Alert{
		Subject: subject[:min(len(subject), SubjectBytes)],
		Text:    message.Cut(message.VisibleLines(message.Cut(a.Text, 2*AlertBytes)), AlertBytes),
	}
}

// RefusedName is an object that was refused because of its name.
type RefusedName struct {
	Key    string
	Reason string // in French
}

// Publisher publishes notifications; *sns.Client is one. A notification is
// accepted for delivery on return.
type Publisher interface {
	Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
}

// Topic sends alerts. It is safe for concurrent use.
type Topic struct {
	Client Publisher
	ARN    string
}

// Alert publishes an alert, bounded as Amazon SNS asks for; its errors are those
// of [fault.FromAWS].
func (t Topic) Alert(ctx context.Context, a Alert) error {
	a = a.Bounded()
	_, err := t.Client.Publish(ctx, &sns.PublishInput{TopicArn: &t.ARN, Subject: &a.Subject, Message: &a.Text})
	return fault.FromAWS("alert: publish", err)
}
