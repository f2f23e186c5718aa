// Package e2e proves the whole product on a local stack: files are uploaded to
// S3, and what then stands in PostgreSQL, the buckets, the registry, the log and
// the alerts is compared with what an oracle says that shares no code with the
// product (infra/proof/oracle).
//
// Each test is a scenario that begins with a baseline: the history is imported,
// and the test knows what the tests before it have published. It takes file dates
// that no other test has and leaves no import open. So each one runs alone on a fresh
// stack, and all of them run on one stack in any order:
//
//	make e2e
//	make e2e RUN=TestRestart
//	make e2e SHUFFLE=on
//
// They are built with the tag "e2e" only and read the stack's settings from the file
// that E2E_ENV names. What they tell each other lies in the folder e2e beside it.
//
// Nothing sleeps to wait for the product: every wait is for a condition, with a
// deadline.
package e2e
