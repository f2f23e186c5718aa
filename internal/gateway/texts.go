package gateway

// RefusedRequest refuses a request that is not the JSON expected.
const RefusedRequest = "la demande n'est pas le JSON attendu"

// RefusedUnsigned refuses a request that nobody signed.
const RefusedUnsigned = "la demande n'est pas signée : une identité AWS est exigée"
