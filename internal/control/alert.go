package control

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

// Alerts sends alerts to a topic. It is safe for concurrent use.
type Alerts struct {
	Client   Publisher
	TopicARN string
}

// Alert publishes an alert, bounded as Amazon SNS asks for; its errors are those
// of [fault.FromAWS].
func (a Alerts) Alert(ctx context.Context, alert message.Alert) error {
	alert = alert.Bounded()
	_, err := a.Client.Publish(ctx, &sns.PublishInput{TopicArn: &a.TopicARN, Subject: &alert.Subject, Message: &alert.Text})
	return fault.FromAWS("control: publish an alert", err)
}
