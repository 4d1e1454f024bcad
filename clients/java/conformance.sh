#!/bin/sh
# Plays a file of vectors; after `mvn test-compile`. See ../conformance/README.md.
here=$(dirname "$0")
exec java "-Djava.util.logging.config.file=$here/src/test/resources/logging.properties" \
  -cp "$here/target/classes:$here/target/test-classes:$(cat "$here/target/classpath")" \
  authz.conformance.Runner "$@"
