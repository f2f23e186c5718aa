// Package alert sends alerts to people, by a topic of Amazon SNS.
package alert

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/sns"

	"etl-dataloader/internal/fault"
	"etl-dataloader/internal/message"
)

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
func (t Topic) Alert(ctx context.Context, a message.Alert) error {
	a = a.Bounded()
	_, err := t.Client.Publish(ctx, &sns.PublishInput{TopicArn: &t.ARN, Subject: &a.Subject, Message: &a.Text})
	return fault.FromAWS("alert: publish", err)
}
