package contract_test

import (
	"fmt"
	"log"

	"etl-dataloader/internal/contract"
)

// Everything starts from the compiled contract.
func ExampleLoad() {
	pkg, err := contract.Load()
	if err != nil {
		log.Fatal(err)
	}
	sales := pkg.Resource("ventes")
	fmt.Println(sales.Name, sales.Key, sales.Load)
	for _, relation := range sales.Relations {
		fmt.Println(relation.Fields, "→", relation.Resource, relation.ParentFields)
	}
	// Output:
	// ventes [sale_id] upsert
	// [client_id] → clients [client_id]
	// [product_id] → produits [product_id]
	// [store_id] → magasins [store_id]
}

// A sensitive field becomes a ciphertext, and a token if records are joined by it.
func ExampleResource_TargetColumns() {
	pkg, err := contract.Load()
	if err != nil {
		log.Fatal(err)
	}
	for _, column := range pkg.Resource("clients").TargetColumns()[:4] {
		fmt.Println(column.Name, column.SQLType)
	}
	// Output:
	// client_id bytea
	// client_id_token bytea
	// first_name bytea
	// last_name bytea
}

// Keys are compared by their canonical form, so 007 and 7 are one client.
func ExampleField_Canonical() {
	pkg, err := contract.Load()
	if err != nil {
		log.Fatal(err)
	}
	id := pkg.Resource("clients").Field("client_id")
	for _, text := range []string{"007", "+7", "7.0"} {
		canonical, ok := id.Canonical([]byte(text))
		fmt.Printf("%q %t\n", canonical, ok)
	}
	// Output:
	// "7" true
	// "7" true
	// "" false
}

// The budget of a file may be widened for one deployment.
func ExamplePackage_Budgets() {
	pkg, err := contract.Load()
	if err != nil {
		log.Fatal(err)
	}
	budgets, err := pkg.Budgets("clients=5%,*=20%")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(budgets["clients"].Exceeded(1000, 51), budgets["ventes"].Exceeded(1000, 51))
	// Output: true false
}
