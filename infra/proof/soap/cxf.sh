#!/usr/bin/env bash
# Has the loader's own source ask a service by Apache CXF, in both versions of SOAP, with and without a UsernameToken. Maven
# takes what it needs from where it is configured to.
set -euo pipefail
cd "$(dirname "$0")/../../.."

mvn --quiet --batch-mode --file infra/proof/soap/cxf/pom.xml compile
exec 3< <(exec java -cp 'build/soap-peer/classes:build/soap-peer/dependency/*' peer.Service 2> build/soap-peer/log)
trap 'kill $!' EXIT
read -r url <&3
SOAP_PEER=$url go test -count=1 -tags e2e ./infra/proof/soap
