package contract

import "testing"

func TestLoad(t *testing.T) {
	p, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.InDependencyOrder() {
		t.Log(r.Name, r.Key, r.Unique, r.Relations, r.KeyColumns(), r.StagingColumns()[10:], r.TargetColumns())
		for _, k := range r.StagedKeys() {
			t.Log("  staged", k.Name)
		}
		for _, k := range r.Rules {
			t.Log("  rule", k.Name, k.Fields, k.Presence)
		}
	}
}
