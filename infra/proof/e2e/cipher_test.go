//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"etl-dataloader/internal/contract"
	"etl-dataloader/internal/protection"
	"etl-dataloader/internal/staged"
)

// scope is what the ciphertexts of one file of an import have in common.
type scope struct {
	importID   string
	generation int
	resource   string
}

// vault opens ciphertexts of any import, and checks that tokens are a function
// of the value, one to one, within each domain.
type vault struct {
	system  *system
	keys    map[string]protection.DataKey
	openers map[scope]*protection.Opener
	tokens  map[string]string // by domain and value
	values  map[string]string // by domain and token
}

func (s *system) vault() *vault {
	return &vault{
		system: s, keys: map[string]protection.DataKey{}, openers: map[scope]*protection.Opener{},
		tokens: map[string]string{}, values: map[string]string{},
	}
}

// record is what the sealed values of a record are bound to: its line and its public
// key, whose columns or members key holds by target name.
func (v *vault) record(resource string, line int64, key map[string]any) protection.Record {
	of := protection.Record{Line: line}
	for _, f := range staged.PublicKey(v.system.contract.Resource(resource)) {
		of.Key = staged.AppendKey(of.Key, f, fmt.Append(nil, key[f.Target]))
	}
	return of
}

// open decrypts a cell, with the import's data key, which KMS unwraps.
func (v *vault) open(t *testing.T, of scope, record protection.Record, column string, sealed []byte) string {
	t.Helper()
	opener := v.openers[of]
	if opener == nil {
		opener = protection.NewOpener(v.key(t, of.importID), protection.Scope{
			ImportID: of.importID, Generation: of.generation, Resource: of.resource,
		})
		v.openers[of] = opener
	}
	plain, err := opener.Open(nil, record, column, sealed)
	if err != nil {
		t.Fatalf("%s, line %d, %s: %v", of.resource, record.Line, column, err)
	}
	return string(plain)
}

func (v *vault) key(t *testing.T, importID string) protection.DataKey {
	t.Helper()
	if key, known := v.keys[importID]; known {
		return key
	}
	var id uint32
	var wrapped []byte
	err := v.system.db.QueryRow(t.Context(), `SELECT key_id, ciphertext FROM etl.data_keys WHERE import_id = $1`, importID).Scan(&id, &wrapped)
	if errors.Is(err, pgx.ErrNoRows) {
		t.Fatalf("%s has no data key", importID)
	}
	if err != nil {
		t.Fatal(err)
	}
	outputs, err := v.system.Outputs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key, err := protection.DecryptDataKey(t.Context(), v.system.KMS, outputs["FieldsKeyArn"], importID, id, wrapped)
	if err != nil {
		t.Fatal(err)
	}
	v.keys[importID] = key
	return key
}

// token checks the token beside a value.
func (v *vault) token(t *testing.T, f *contract.Field, plain string, token []byte) {
	t.Helper()
	canonical, ok := f.Canonical([]byte(plain))
	if !ok || len(token) != protection.TokenSize {
		t.Errorf("%s: a token of %d bytes", f.Name, len(token))
		return
	}
	byValue, byToken := f.Domain+"|"+canonical, f.Domain+"|"+string(token)
	if known, seen := v.tokens[byValue]; seen && known != string(token) {
		t.Errorf("%s: one value has two tokens", f.Name)
	}
	if known, seen := v.values[byToken]; seen && known != canonical {
		t.Errorf("%s: one token stands for two values", f.Name)
	}
	v.tokens[byValue], v.values[byToken] = string(token), canonical
}
