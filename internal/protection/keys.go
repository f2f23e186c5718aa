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
	GenerateDataKeyWithoutPlaintext(context.Context, *kms.GenerateDataKeyWithoutPlaintextInput, ...func(*kms.Options)) (*kms.GenerateDataKeyWithoutPlaintextOutput, error)
	Decrypt(context.Context, *kms.DecryptInput, ...func(*kms.Options)) (*kms.DecryptOutput, error)
	GenerateMac(context.Context, *kms.GenerateMacInput, ...func(*kms.Options)) (*kms.GenerateMacOutput, error)
}

// GenerateDataKey asks KMS for a new data key of the import, wrapped by the KMS
// key keyID (id, ARN or alias), and returns the ciphertext, which etl.data_keys keeps.
// The plaintext stays in KMS. It makes one KMS call, and fails with *fault.Transient
// if KMS did not answer or is busy.
func GenerateDataKey(ctx context.Context, client KMS, keyID, importID string) ([]byte, error) {
	out, err := client.GenerateDataKeyWithoutPlaintext(ctx, &kms.GenerateDataKeyWithoutPlaintextInput{
		KeyId:             aws.String(keyID),
		KeySpec:           types.DataKeySpecAes256,
		EncryptionContext: encryptionContext(importID),
	})
	if err != nil {
		return nil, kmsError("generate the data key of "+importID, err)
	}
	if len(out.CiphertextBlob) == 0 {
		return nil, fmt.Errorf("protection: KMS made no data key for %s", importID)
	}
	return out.CiphertextBlob, nil
}

// DecryptDataKey has the KMS key keyID unwrap the data key that [GenerateDataKey] made
// for the same import; id is that of its row in etl.data_keys. Only keyID is tried,
// whatever key the ciphertext names. It makes one KMS call, and fails with
// *fault.Transient if KMS did not answer or is busy. The caller wipes the key after use.
func DecryptDataKey(ctx context.Context, client KMS, keyID, importID string, id uint32, ciphertext []byte) (DataKey, error) {
	out, err := client.Decrypt(ctx, &kms.DecryptInput{
		KeyId:             aws.String(keyID),
		CiphertextBlob:    ciphertext,
		EncryptionContext: encryptionContext(importID),
	})
	if err != nil {
		return DataKey{}, kmsError("decrypt the data key of "+importID, err)
	}
	defer clear(out.Plaintext)
	key, err := NewDataKey(id, out.Plaintext)
	if err != nil {
		return DataKey{}, fmt.Errorf("the data key of %s: %w", importID, err)
	}
	return key, nil
}

// encryptionContext is the context to which KMS binds a data key, and which appears
// in its audit trail.
func encryptionContext(importID string) map[string]string {
	return map[string]string{"system": system, "import_id": importID}
}

// kmsError names what was attempted and classifies the error for the machine.
func kmsError(op string, err error) error { return fault.FromAWS("protection: "+op, err) }
