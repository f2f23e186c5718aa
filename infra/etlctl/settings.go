package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/landing"
	"etl-dataloader/internal/registry"
)

// output returns the name of the stack's output that holds a setting; empty for none.
func output(setting string) string {
	switch setting {
	case "LANDING_BUCKET":
		return "LandingBucket"
	case "WORK_BUCKET":
		return "WorkBucket"
	case "REGISTRY_TABLE":
		return "RegistryTable"
	case "CONTROL_API":
		return "ControlApi"
	default:
		return ""
	}
}

// settings looks up the settings of a command: in the outputs of a stack if one is
// named, else in the environment.
type settings struct {
	lookup func(string) (string, bool)
	stack  string
	found  map[string]string // outputs of the stack, once read
	given  map[string]string // parameters of the stack, once read
}

// stackReader reads stacks; *cloudformation.Client implements it.
type stackReader interface {
	DescribeStacks(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error)
}

// readStack reads the outputs of the stack, if one is named.
func (s *settings) readStack(ctx context.Context, reader stackReader) error {
	if s.stack == "" || s.found != nil {
		return nil
	}
	out, err := reader.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &s.stack})
	if err != nil {
		return &usageError{textNoStack(s.stack, err)}
	}
	s.found, s.given = map[string]string{}, map[string]string{}
	for _, stack := range out.Stacks {
		for _, p := range stack.Parameters {
			s.given[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
		}
		for _, o := range stack.Outputs {
			s.found[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
		}
	}
	return nil
}

// get returns a setting. If it is missing, get fails with a *usageError that says what
// to do.
func (s *settings) get(name string) (string, error) {
	if o := output(name); o != "" && s.stack != "" {
		if v := s.found[o]; v != "" {
			return v, nil
		}
		return "", &usageError{textNoOutput(s.stack, o)}
	}
	if v, ok := s.lookup(name); ok && v != "" {
		return v, nil
	}
	return "", &usageError{textNoSetting(name)}
}

// parameter returns the name of the stack's parameter that holds a boolean setting;
// empty for none.
func parameter(setting string) string {
	switch setting {
	case "NO_HISTORY":
		return "NoHistory"
	case "REQUIRE_CONTROL":
		return "RequireControl"
	default:
		return ""
	}
}

// is reports whether a boolean setting is true. As in the functions, an unset one is
// false.
func (s *settings) is(name string) bool {
	if s.stack != "" {
		return s.given[parameter(name)] == "true"
	}
	v, ok := s.lookup(name)
	return ok && v == "true"
}

// services are the clients and names that commands work with.
type services struct {
	registry      *registry.Registry
	objects       *s3.Client
	api           api
	landing, work string // names of the buckets
	names         *landing.Names
	noHistory     bool // daily imports do not wait for an initial one
	pkg           *contract.Package
}

// waiting returns what finds out why dates wait.
func (s *services) waiting() waiting {
	return waiting{imports: s.registry, dates: s.registry, names: s.names, noHistory: s.noHistory}
}

// open returns the services. needed lists the settings that this command requires.
func (c *console) open(ctx context.Context, needed ...string) (*services, error) {
	// What the SDK would log is either fixed by its retries or returned.
	cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}))
	if err != nil {
		return nil, err
	}
	if cfg.Region == "" {
		return nil, &usageError{textNoRegion}
	}
	if err := c.settings.readStack(ctx, cloudformation.NewFromConfig(cfg)); err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, name := range needed {
		if values[name], err = c.settings.get(name); err != nil {
			return nil, err
		}
	}
	pkg, err := contract.Load()
	if err != nil {
		return nil, err
	}
	names, err := landing.FromContract(pkg)
	if err != nil {
		return nil, err
	}
	endpoint, _ := c.settings.lookup("AWS_ENDPOINT_URL")
	return &services{
		registry: registry.New(dynamodb.NewFromConfig(cfg), values["REGISTRY_TABLE"], time.Now),
		objects:  s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = endpoint != "" }),
		api: api{
			url: strings.TrimSuffix(values["CONTROL_API"], "/"), region: cfg.Region, credentials: cfg.Credentials, now: c.now,
			// A redirection would carry the signature to another host.
			client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		},
		landing: values["LANDING_BUCKET"], work: values["WORK_BUCKET"],
		names: names.Requiring(c.settings.is("REQUIRE_CONTROL")), noHistory: c.settings.is("NO_HISTORY"), pkg: pkg,
	}, nil
}
