package postgres

// OlderReaders is the query for sessions with snapshots.
const OlderReaders = olderReaders
