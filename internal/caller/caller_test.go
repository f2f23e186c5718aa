package caller_test

import (
	"testing"

	"etl-dataloader/internal/caller"
)

func TestString(t *testing.T) {
	for _, c := range []struct {
		identity caller.Identity
		want     string
	}{
		{caller.Identity{}, "identité non vérifiée"},
		{caller.Identity{AccessKey: "AKIA1"}, "identité non vérifiée"},
		{caller.Identity{ARN: "arn:aws:iam::111122223333:user/anne", AccessKey: "AKIA1"}, "arn:aws:iam::111122223333:user/anne (clé AKIA1)"},
		{
			caller.Identity{ARN: "arn:aws:sts::111122223333:assumed-role/Operators/anne", AccessKey: "ASIA1"},
			"arn:aws:sts::111122223333:assumed-role/Operators, session déclarée « anne » (clé ASIA1)",
		},
		{
			caller.Identity{ARN: "arn:aws:sts::111122223333:assumed-role/Operators/an\nne"},
			`arn:aws:sts::111122223333:assumed-role/Operators, session déclarée « an\nne »`,
		},
		{
			caller.Identity{ARN: "arn:aws:sts::111122223333:federated-user/anne", AccessKey: "ASIA1"},
			"arn:aws:sts::111122223333:federated-user, session déclarée « anne » (clé ASIA1)",
		},
		{caller.Identity{ARN: "arn:aws:iam::111122223333:root"}, "arn:aws:iam::111122223333:root"},
	} {
		if got := c.identity.String(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestSession(t *testing.T) {
	for arn, want := range map[string][2]string{
		"arn:aws:iam::111122223333:user/team/anne":           {"arn:aws:iam::111122223333:user/team/anne", ""},
		"arn:aws:sts::111122223333:assumed-role/Operators":   {"arn:aws:sts::111122223333:assumed-role/Operators", ""},
		"arn:aws:sts::111122223333:assumed-role/Operators/a": {"arn:aws:sts::111122223333:assumed-role/Operators", "a"},
		"arn:aws:sts::111122223333:federated-user/a":         {"arn:aws:sts::111122223333:federated-user", "a"},
		"arn:aws-cn:sts::111122223333:federated-user/b":      {"arn:aws-cn:sts::111122223333:federated-user", "b"},
		// The path of a user may contain what looks like another kind.
		"arn:aws:iam::111122223333:user/x:federated-user/y/anne": {"arn:aws:iam::111122223333:user/x:federated-user/y/anne", ""},
		"arn:aws:iam::111122223333:user/x:assumed-role/y/anne":   {"arn:aws:iam::111122223333:user/x:assumed-role/y/anne", ""},
		"": {"", ""},
	} {
		if role, name := (caller.Identity{ARN: arn}).Session(); role != want[0] || name != want[1] {
			t.Errorf("%s: %s, %s", arn, role, name)
		}
	}
}
