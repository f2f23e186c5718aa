package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"etl-dataloader/infra/proof/stack"
	"etl-dataloader/internal/contract"
)

const stackName = "etl-chaos"

// parameters of the stack: small chunks so that a small file has several, any
// number of rejects, and two chunks in work at a time.
const parameters = "ChunkBytes=1048576 ChunkRecords=80 MaxConcurrency=2 RejectBudget=*=100%"

// optional parameters are set if the template declares them: without automatic
// redrives each cell decides itself when one comes.
func optional() map[string]string { return map[string]string{"AutomaticRedrives": "0"} }

// system is the local stack that the cells share, and the faults' means.
type system struct {
	*stack.Stack
	settings stack.Settings
	contract *contract.Package
	proxy    *proxy
	source   *source // of the enrichment
}

// startMatrix brings a fresh stack up for small files, on which no wait takes long, and
// puts the proxy between it and PostgreSQL. The caller stops the stack, also after an error.
func startMatrix(ctx context.Context, folder string) (*system, error) {
	chosen, err := settings(folder, parameters, "0.002")
	if err != nil {
		return &system{}, err
	}
	s, err := start(ctx, chosen)
	if err != nil {
		return s, err
	}
	return s, s.divert(ctx)
}

// start brings a fresh stack up. The caller stops it, also after an error.
func start(ctx context.Context, chosen stack.Settings) (s *system, err error) {
	s = &system{settings: chosen}
	if s.contract, err = contract.Load(); err != nil {
		return s, err
	}
	if s.source, err = newSource(ctx); err != nil {
		return s, err
	}
	s.settings.Environment = append(s.settings.Environment, "LOCAL_ENRICHMENT_URL="+s.source.url())
	s.Stack, err = stack.Start(ctx, s.settings)
	return s, err
}

// settings are what the stack is started with; waitScale is by how much the machine's
// waits are shortened.
func settings(folder, chosen, waitScale string) (stack.Settings, error) {
	template, err := os.ReadFile("template.yaml")
	if err != nil {
		return stack.Settings{}, err
	}
	for name, value := range optional() {
		if bytes.Contains(template, []byte("\n  "+name+":\n    Type:")) {
			chosen += " " + name + "=" + value
		}
	}
	return stack.Settings{
		Folder: folder, Name: stackName, Parameters: chosen,
		Environment: []string{"LOCAL_LOG_LEVEL=WARNING", "SFN_WAIT_SCALE=" + waitScale},
	}, nil
}

// stop ends everything that start started; the logs stay in the folder.
func (s *system) stop(ctx context.Context) error {
	if s.source == nil {
		return nil // nothing was started
	}
	if s.proxy != nil {
		s.proxy.close()
	}
	err := s.settings.Control(ctx, "down")
	return errors.Join(err, s.source.stop())
}

// divert changes the database secret, which no function has read yet, so that
// they reach PostgreSQL through the proxy.
func (s *system) divert(ctx context.Context) error {
	u, err := url.Parse(s.Env["DATABASE_URL"])
	if err != nil {
		return errors.New("DATABASE_URL of the stack is no URL")
	}
	if s.proxy, err = newProxy(ctx, u.Host); err != nil {
		return err
	}
	id := aws.String(s.Env["DATABASE_SECRET_ARN"])
	out, err := s.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: id})
	if err != nil {
		return err
	}
	secret := map[string]any{}
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &secret); err != nil {
		return err
	}
	secret["host"], secret["port"] = "127.0.0.1", s.proxy.port()
	text, err := json.Marshal(secret)
	if err != nil {
		return err
	}
	_, err = s.Secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: id, SecretString: aws.String(string(text))})
	return err
}

// armed is what the emulator says of the armed fault.
type armed struct {
	Struck, Held, Running, Killed int
}

// tell asks the emulator for one of the actions of infra/local/emulator/faults.py.
func (s *system) tell(ctx context.Context, action string, in map[string]any) (out armed, err error) {
	err = s.Call(ctx, "AWSStepFunctions."+action, in, &out)
	return out, err
}

// source is the enrichment source, a process of our own so that it can be gone.
type source struct {
	address string
	cmd     *exec.Cmd
}

func newSource(ctx context.Context) (*source, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &source{address: listener.Addr().String()}
	return s, errors.Join(listener.Close(), s.start(ctx))
}

func (s *source) url() string { return "http://" + s.address }

// start starts the process and waits until it answers.
func (s *source) start(ctx context.Context) error {
	s.cmd = exec.Command("build/local/enrichment", "-addr", s.address) //nolint:gosec,noctx // it outlives the call
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("build/local/enrichment: %w", err)
	}
	return until(ctx, "the enrichment source", func() (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url()+"/health", nil)
		if err != nil {
			return false, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, nil //nolint:nilerr // not yet
		}
		return response.StatusCode == http.StatusOK, response.Body.Close()
	})
}

// stop kills the process, if it runs.
func (s *source) stop() error {
	if s.cmd == nil {
		return nil
	}
	err := s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
	return err
}
