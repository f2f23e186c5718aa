package queue_test

import (
	"fmt"

	"etl-dataloader/internal/etl"
	"etl-dataloader/internal/queue"
	"etl-dataloader/internal/registry"
)

// The 7th misses a file, so the complete 8th waits for it.
func ExampleDecide() {
	seventh := registry.Entry{Mode: etl.ModeDaily, FileDate: "2024-10-07"}
	eighth := registry.Entry{Mode: etl.ModeDaily, FileDate: "2024-10-08"}
	clients := map[string]registry.Arrival{"clients": {Key: "daily/client_data_20241007.csv"}}
	s := queue.Snapshot{
		Dates:     []registry.Entry{seventh, eighth},
		NoHistory: true,
		Files: map[string]queue.Files{
			seventh.Order(): {There: clients, Missing: []string{"product_data"}},
		},
	}
	v := queue.Decide(s)
	fmt.Println(v.Action == queue.Wait, v.Date.FileDate, v.Missing)
	// Output: true 2024-10-07 [product_data]
}
