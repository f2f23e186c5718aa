package gateway

// RefusedRequest refuses a request that is not the JSON expected.
const RefusedRequest = "la demande n'est pas le JSON attendu"

// RefusedMember refuses a request with a member that its route does not know. It does
// not quote it: it is what somebody wrote.
const RefusedMember = "la demande contient un membre JSON inconnu (faute de frappe ?) ; rien n'a été fait"

// RefusedUnsigned refuses a request that nobody signed.
const RefusedUnsigned = "la demande n'est pas signée : une identité AWS est exigée"

// RefusedDirect refuses an invocation that did not come through the API.
const RefusedDirect = "cette fonction ne répond qu'à l'API signée (sortie ControlApi de la pile)"

// LogDirect says that somebody invoked a function that answers the API alone.
const LogDirect = "Invocation directe refusée : la fonction ne répond qu'à l'API signée"
