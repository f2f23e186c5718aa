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
	scope := protection.Scope{ImportID: "IMPORT_20241008_060000_001", Generation: 1, Resource: "clients"}
	sealer, err := protection.NewSealer(key, scope, 0)
	if err != nil {
		log.Fatal(err)
	}
	sealed := sealer.Seal(nil, "email", 42, []byte("a@example.com"))
	fmt.Println(len(sealed) - len("a@example.com") - protection.Overhead)

	opener := protection.NewOpener(key, scope)
	plain, err := opener.Open(nil, "email", 42, sealed)
	fmt.Println(string(plain), err)
	_, err = opener.Open(nil, "email", 43, sealed) // another line
	fmt.Println(err)
	// Output:
	// 0
	// a@example.com <nil>
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
