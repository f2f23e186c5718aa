// Package registrytest gives tests a registry on a real table.
//
// The first test that asks for it starts one emulator of AWS for its package, on a
// free loopback port; [Run] ends its process after the tests. The command comes from
// the environment variable MINISTACK, such as ".local/venv/bin/python -m ministack".
// Without it such a test fails; with -short it is skipped. A package of pure tests
// starts nothing. [Emulator.Open] creates a fresh table, so that tests never see each
// other's items. The emulator's clients enforce the limits of AWS (package awstest).
package registrytest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"etl-dataloader/internal/awstest"
	"etl-dataloader/internal/registry"
)

// startWithin is how long the emulator may take to listen.
const startWithin = 60 * time.Second

// Emulator is the emulator of a test package.
type Emulator struct {
	tables atomic.Int64
	begin  sync.Once
	err    error // of starting it
	config aws.Config
	stop   func()
}

// Run runs the tests of a package and returns the exit code for os.Exit. set is
// called before the tests with the emulator.
func Run(m *testing.M, set func(*Emulator)) int {
	e := &Emulator{stop: func() {}}
	defer func() { e.stop() }()
	set(e)
	return m.Run()
}

// ready starts the emulator for the first test that needs it, and skips the test
// with -short.
func (e *Emulator) ready(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs the emulator of AWS, which -short does without")
	}
	e.begin.Do(func() { e.err = e.start() })
	if e.err != nil {
		t.Fatal(e.err)
	}
}

func (e *Emulator) start() error {
	command := strings.Fields(os.Getenv("MINISTACK"))
	if len(command) == 0 {
		return errors.New("MINISTACK is not set: it names the command of the AWS emulator; `make test` sets it")
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	stop, err := start(command, port)
	if err != nil {
		return err
	}
	e.stop = stop
	e.config = aws.Config{
		Region:       "eu-west-3",
		BaseEndpoint: aws.String("http://127.0.0.1:" + strconv.Itoa(port)),
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	awstest.Enforce(&e.config)
	return nil
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return 0, errors.New("find a free port: no TCP address")
	}
	return address.Port, listener.Close()
}

// start starts the emulator and returns when it listens; stop ends its process.
func start(command []string, port int) (stop func(), err error) {
	cmd := exec.CommandContext(context.Background(), command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "BIND_HOST=127.0.0.1", "GATEWAY_PORT="+strconv.Itoa(port),
		"IOT_MTLS_ENABLED=0", "SFTP_ENABLED=0", "MINISTACK_REGION=eu-west-3")
	output, writer := io.Pipe()
	cmd.Stdout, cmd.Stderr = writer, writer
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the emulator %q: %w", strings.Join(command, " "), err)
	}
	listening := make(chan struct{})
	var once sync.Once
	go func() {
		lines := bufio.NewScanner(output)
		for lines.Scan() {
			if strings.Contains(lines.Text(), "Running on http") {
				once.Do(func() { close(listening) })
			}
		}
		_, _ = io.Copy(io.Discard, output)
	}()
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		_ = writer.Close()
		close(ended)
	}()
	stop = func() {
		_ = cmd.Process.Kill()
		<-ended
	}
	select {
	case <-listening:
		return stop, nil
	case <-ended:
		return nil, errors.New("the emulator ended before it listened")
	case <-time.After(startWithin):
		stop()
		return nil, fmt.Errorf("the emulator did not listen within %s", startWithin)
	}
}

// DynamoDB returns a client of the emulator.
func (e *Emulator) DynamoDB(t testing.TB) *dynamodb.Client {
	t.Helper()
	e.ready(t)
	return dynamodb.NewFromConfig(e.config)
}

// S3 returns a client of the emulator.
func (e *Emulator) S3(t testing.TB) *s3.Client {
	t.Helper()
	e.ready(t)
	return s3.NewFromConfig(e.config, func(o *s3.Options) { o.UsePathStyle = true })
}

// Table makes a fresh table of the registry's shape and returns its name.
func (e *Emulator) Table(t testing.TB) string {
	t.Helper()
	name := "registry-" + strconv.FormatInt(e.tables.Add(1), 10)
	_, err := e.DynamoDB(t).CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange},
		},
	})
	// The name is new, so if the table exists, an earlier request created it, its
	// answer was lost, and the client repeated the request.
	if err != nil && !errors.As(err, new(*types.ResourceInUseException)) {
		t.Fatalf("create the table: %v", err)
	}
	return name
}

// Open returns a registry on a fresh table, with a clock of its own.
func (e *Emulator) Open(t testing.TB, now func() time.Time) *registry.Registry {
	t.Helper()
	return registry.New(e.DynamoDB(t), e.Table(t), now)
}

// Bucket makes a fresh versioned bucket and returns its name.
func (e *Emulator) Bucket(t testing.TB) string {
	t.Helper()
	name := "bucket-" + strconv.FormatInt(e.tables.Add(1), 10)
	if _, err := e.S3(t).CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &name,
		CreateBucketConfiguration: &s3types.CreateBucketConfiguration{
			LocationConstraint: s3types.BucketLocationConstraintEuWest3,
		},
	}); err != nil && !errors.As(err, new(*s3types.BucketAlreadyOwnedByYou)) {
		t.Fatalf("create the bucket: %v", err)
	}
	if _, err := e.S3(t).PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket:                  &name,
		VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	}); err != nil {
		t.Fatalf("version the bucket: %v", err)
	}
	return name
}

// Clock is a clock that tests move. The zero value stands at 2024-10-09 15:00:00
// UTC. Safe for concurrent use.
type Clock struct{ offset atomic.Int64 }

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	return time.Date(2024, 10, 9, 15, 0, 0, 0, time.UTC).Add(time.Duration(c.offset.Load()))
}

// Move moves the clock on by d.
func (c *Clock) Move(d time.Duration) { c.offset.Add(int64(d)) }
