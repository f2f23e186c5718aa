//go:build e2e

package e2e

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/smithy-go"

	"etl-dataloader/infra/proof/stack"
)

// The tests of this file act as the people whom the stack's policies are for.

// as returns the scenario in the hands of a user who has one of the stack's policies.
func (sc *scenario) as(t *testing.T, user, policy string) *scenario {
	t.Helper()
	outputs, err := sc.Outputs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	person, err := sc.As(t.Context(), user, outputs[policy])
	if err != nil {
		t.Fatal(err)
	}
	return &scenario{system: &system{Stack: person, dir: sc.dir, contract: sc.contract, db: sc.db}}
}

// deeds are what somebody may try, by what it is.
type deeds map[string]func(context.Context) error

// deeds are requests that nobody who is not meant to make them may make. They are
// about a published import.
func (sc *scenario) deeds(t *testing.T, as *scenario, imp stack.Import) deeds {
	t.Helper()
	of := sc.newestDay(t)
	file := of.Mode + "/" + of.file(t, "client_data")
	staged := sc.firstKey(t, imp.ImportID+"/g")
	sealed := sc.wrappedKey(t, imp)
	get := func(bucket, key string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := as.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(as.Env[bucket]), Key: &key})
			return err
		}
	}
	put := func(bucket, key string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := as.S3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(as.Env[bucket]), Key: &key, Body: strings.NewReader("x")})
			return err
		}
	}
	return deeds{
		"read a landing file":     get("LANDING_BUCKET", file),
		"read a work object":      get("WORK_BUCKET", staged),
		"read a report":           get("WORK_BUCKET", imp.ImportID+"/report.json"),
		"overwrite a report":      put("WORK_BUCKET", imp.ImportID+"/report.json"),
		"put a file elsewhere":    put("LANDING_BUCKET", "elsewhere/client_data_20241008.csv"),
		"deposit a file":          put("LANDING_BUCKET", "daily/client_data_x.csv"),
		"open an import's fields": func(ctx context.Context) error { return openFields(ctx, as, imp, sealed) },
		"delete a landing file": func(ctx context.Context) error {
			_, err := as.S3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(as.Env["LANDING_BUCKET"]), Key: &file})
			return err
		},
		"change the registry": func(ctx context.Context) error {
			_, err := as.DynamoDB.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(as.Env["REGISTRY_TABLE"]), Item: map[string]types.AttributeValue{
				"pk": &types.AttributeValueMemberS{Value: "FORGED"}, "sk": &types.AttributeValueMemberS{Value: "FORGED"},
			}})
			return err
		},
		"start an execution": func(ctx context.Context) error {
			_, err := as.SFN.StartExecution(ctx, &sfn.StartExecutionInput{StateMachineArn: aws.String(as.Env["STATE_MACHINE_ARN"])})
			return err
		},
		"read the database's secret": func(ctx context.Context) error {
			_, err := as.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(as.Env["DATABASE_SECRET_ARN"])})
			return err
		},
		"re-execute an import": asks(as, "/rerun", map[string]any{"import_id": "IMPORT_19990101_000000_001", "mode": "resume"}),
		"read encrypted values": asks(as, "/reveal", map[string]any{
			"table": "clients", "where": map[string]any{"field": "client_id", "value": "1"}, "fields": []string{"email"}, "reason": "a test",
		}),
		"call the function behind the API": func(ctx context.Context) error {
			name, err := sc.Function(ctx, "RerunFunction")
			if err == nil {
				_, err = as.Lambda.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: []byte(`{"import_id": "IMPORT_19990101_000000_001", "mode": "resume"}`)})
			}
			return err
		},
	}
}

// asks returns a request to a route of the API. An answer of the function behind it,
// whatever it says, means that the request was allowed.
func asks(as *scenario, route string, in any) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := as.Ask(ctx, route, in, as.Credentials())
		var refusal *stack.RefusedError
		if errors.As(err, &refusal) && refusal.Status != http.StatusForbidden {
			return nil
		}
		return err
	}
}

// firstKey returns the key of a work object with a prefix.
func (sc *scenario) firstKey(t *testing.T, prefix string) string {
	t.Helper()
	out, err := sc.S3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(sc.Env["WORK_BUCKET"]), Prefix: &prefix, MaxKeys: aws.Int32(1)})
	if err != nil || len(out.Contents) == 0 {
		t.Fatalf("no work object under %s: %v", prefix, err)
	}
	return *out.Contents[0].Key
}

// wrappedKey returns the sealed data key of an import.
func (sc *scenario) wrappedKey(t *testing.T, imp stack.Import) (sealed []byte) {
	t.Helper()
	if err := sc.db.QueryRow(t.Context(), `SELECT ciphertext FROM etl.data_keys WHERE import_id = $1`, imp.ImportID).Scan(&sealed); err != nil {
		t.Fatal(err)
	}
	return sealed
}

// openFields asks KMS for the data key of an import, with all that Protect would say.
func openFields(ctx context.Context, as *scenario, imp stack.Import, sealed []byte) error {
	_, err := as.KMS.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed, EncryptionContext: map[string]string{
		"system": "ETL-DataLoader", "import_id": imp.ImportID,
	}})
	return err
}

// try makes every request; those that are named must be allowed and all others denied.
func (d deeds) try(t *testing.T, allowed ...string) {
	t.Helper()
	may := map[string]bool{}
	for _, name := range allowed {
		may[name] = true
	}
	for name, deed := range d {
		err := deed(t.Context())
		var refusal smithy.APIError
		var forbidden *stack.RefusedError
		denied := errors.As(err, &forbidden) || (errors.As(err, &refusal) && strings.HasPrefix(refusal.ErrorCode(), "AccessDenied"))
		switch {
		case may[name] && err != nil:
			t.Errorf("may not %s: %v", name, err)
		case !may[name] && !denied:
			t.Errorf("may %s: %v", name, err)
		}
	}
}

// TestDepositor: whoever has DepositPolicy delivers a day and follows its import with
// etlctl, and may do nothing else.
func TestDepositor(t *testing.T) {
	sc := baseline(t)
	depositor := sc.as(t, "depositor", "DepositPolicy")
	of := sc.day(t, "-rows", "60", "-seed", "15")
	if out := string(depositor.etlctl(t, "import", "--mode", of.Mode, "--dir", of.Folder)); !strings.Contains(out, "« réussi »") {
		t.Fatalf("etlctl import says: %s", out)
	}
	imp := sc.settle(t, of, 1)
	sc.deeds(t, depositor, imp).try(t, "deposit a file")
}

// TestOperator: whoever has OperatePolicy sees and re-executes imports, and reads and
// changes nothing of what they hold.
func TestOperator(t *testing.T) {
	sc := baseline(t)
	operator := sc.as(t, "operator", "OperatePolicy")
	imp, _ := sc.importOf(t, "daily", sc.newestDay(t).Date)
	if out := string(operator.etlctl(t, "status", imp.ImportID)); !strings.Contains(out, imp.ImportID) {
		t.Errorf("etlctl status says: %s", out)
	}
	sc.deeds(t, operator, imp).try(t, "re-execute an import")
	list, err := operator.SFN.ListExecutions(t.Context(), &sfn.ListExecutionsInput{StateMachineArn: aws.String(operator.Env["STATE_MACHINE_ARN"])})
	if err != nil || len(list.Executions) == 0 {
		t.Fatalf("sees no execution: %v", err)
	}
	if _, err := operator.SFN.GetExecutionHistory(t.Context(), &sfn.GetExecutionHistoryInput{ExecutionArn: list.Executions[0].ExecutionArn}); err != nil {
		t.Errorf("may not read the history of an execution: %v", err)
	}
}

// TestRevealer: whoever has RevealPolicy reads encrypted values through the API, and in
// no other way.
func TestRevealer(t *testing.T) {
	sc := baseline(t)
	imp, _ := sc.importOf(t, "daily", sc.newestDay(t).Date)
	sc.deeds(t, sc.as(t, "revealer", "RevealPolicy"), imp).try(t, "read encrypted values")
}

// TestReportReader: whoever has ReportsPolicy reads reports and nothing else.
func TestReportReader(t *testing.T) {
	sc := baseline(t)
	imp, _ := sc.importOf(t, "daily", sc.newestDay(t).Date)
	sc.deeds(t, sc.as(t, "auditor", "ReportsPolicy"), imp).try(t, "read a report")
}
