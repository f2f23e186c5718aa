// Package e2e proves the whole product on a local stack: files are uploaded to
// S3, and what then stands in PostgreSQL, the buckets, the registry, the log and
// the alerts is compared with what an oracle says that shares no code with the
// product (infra/proof/oracle).
//
// The tests are one story told in order on one fresh stack, as imports are: each
// step of [TestStory] begins where the one before ended. They are built with the
// tag "e2e" only and read the stack's settings from the file that E2E_ENV names:
//
//	make e2e
//
// Nothing sleeps to wait for the product: every wait is for a condition, with a
// deadline.
package e2e
