package protection

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"etl-dataloader/internal/fault"
)

// system is the value of "system" in the encryption context of every data key.
const system = "ETL-DataLoader"

// KMS is the part of AWS KMS that this package needs, with the methods of the SDK's
// client. The client retries by itself, so each call must be safe to repeat.
type KMS interface {
	GenerateDataKey(context.Context, *kms.GenerateDataKeyInput, ...func(*kms.Options)) (*kms.GenerateDataKeyOutput, error)
	Decrypt(context.Context, *kms.DecryptInput, ...func(*kms.Options)) (*kms.DecryptOutput, error)
	GenerateMac(context.Context, *kms.GenerateMacInput, ...func(*kms.Options)) (*kms.GenerateMacOutput, error)
}

// GenerateDataKey asks KMS for a new data key of the import, wrapped by the KMS
// key keyID (id, ARN or alias). The plaintext is for [NewDataKey] and must be
// stored nowhere; etl.data_keys keeps the ciphertext. It makes one KMS call, and
// fails with *fault.Transient if KMS did not answer or is busy.
func GenerateDataKey(ctx context.Context, client KMS, keyID, importID string) (plaintext, ciphertext []byte, err error) {
	out, err := client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId:             aws.String(keyID),
		KeySpec:           types.DataKeySpecAes256,
		EncryptionContext: encryptionContext(importID),
	})
	if err != nil {
		return nil, nil, kmsError("generate the data key of "+importID, err)
	}
	if len(out.Plaintext) != KeySize || len(out.CiphertextBlob) == 0 {
		return nil, nil, fmt.Errorf("protection: KMS made a data key of %d bytes for %s", len(out.Plaintext), importID)
	}
	return out.Plaintext, out.CiphertextBlob, nil
}

// DecryptDataKey has KMS unwrap the data key that [GenerateDataKey] made for the same
// import. It makes one KMS call, and fails with *fault.Transient if KMS did not
// answer or is busy.
func DecryptDataKey(ctx context.Context, client KMS, importID string, ciphertext []byte) ([]byte, error) {
	out, err := client.Decrypt(ctx, &kms.DecryptInput{
		CiphertextBlob:    ciphertext,
		EncryptionContext: encryptionContext(importID),
	})
	if err != nil {
		return nil, kmsError("decrypt the data key of "+importID, err)
	}
	if len(out.Plaintext) != KeySize {
		return nil, fmt.Errorf("protection: the data key of %s has %d bytes", importID, len(out.Plaintext))
	}
	return out.Plaintext, nil
}

// encryptionContext is the context to which KMS binds a data key, and which appears
// in its audit trail.
func encryptionContext(importID string) map[string]string {
	return map[string]string{"system": system, "import_id": importID}
}

// kmsError names what was attempted and classifies the error for the machine.
func kmsError(op string, err error) error { return fault.FromAWS("protection: "+op, err) }
