package protection_test

import (
	"bytes"
	"fmt"
	"log"

	"etl-dataloader/internal/protection"
)

// A value opens in the cell for which it was sealed, and in no other.
func Example() {
	// KMS generates the data key of an import; see [protection.GenerateDataKey].
	key, err := protection.NewDataKey(1, bytes.Repeat([]byte{7}, protection.KeySize))
	if err != nil {
		log.Fatal(err)
	}
	scope := protection.Scope{ImportID: "IMPORT_20241008_060000_001", Generation: 1, Resource: "paiements"}
	sealer, err := protection.NewSealer(key, scope, 0)
	if err != nil {
		log.Fatal(err)
	}
	payment := protection.Record{Line: 42, Key: protection.AppendKey(nil, []byte("4711"))}
	sealed := sealer.Seal(nil, payment, "iban", []byte("FR1420041010050500013M02606"))
	fmt.Println(len(sealed) - len("FR1420041010050500013M02606") - protection.Overhead)

	opener := protection.NewOpener(key, scope)
	plain, err := opener.Open(nil, payment, "iban", sealed)
	fmt.Println(string(plain), err)
	other := protection.Record{Line: 42, Key: protection.AppendKey(nil, []byte("4712"))} // copied to another payment
	_, err = opener.Open(nil, other, "iban", sealed)
	fmt.Println(err)
	// Output:
	// 0
	// FR1420041010050500013M02606 <nil>
	// protection: sealed value does not open
}

// No way of printing shows a key.
func ExampleDataKey() {
	key, err := protection.NewDataKey(1, bytes.Repeat([]byte{7}, protection.KeySize))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%v %+v %x\n", key, key, key)
	// Output: DataKey(1) DataKey(1) DataKey(1)
}
