package stack

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Denied returns the requests of the stack's roles that were denied since the stack
// was started first: role, action and resource of each kind once.
func (s *Stack) Denied() (requests []string, err error) {
	file, err := os.Open(filepath.Join(s.Folder, "emulator", "permissions.jsonl"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for lines := json.NewDecoder(file); ; {
		var decided struct {
			Principal, Action, Resource string
			Allowed                     bool
		}
		if err := lines.Decode(&decided); errors.Is(err, io.EOF) {
			return requests, nil
		} else if err != nil {
			return nil, err
		}
		if !decided.Allowed && strings.HasPrefix(decided.Principal, s.Name+"-") {
			requests = append(requests, decided.Principal+": "+decided.Action+" on "+decided.Resource)
		}
	}
}
