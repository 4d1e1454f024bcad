"""Starts the example and stays up, for questions from the command line and by HTTP.

Everything is under .dev: the database, the logs, the socket. Ends with Ctrl-C.
"""

import os
import signal
import sys
from pathlib import Path

from dev_server import EXAMPLES, ROOT, NotStartedError, dev_server
from envoy_in_front import HOST, envoy, shipped
from story_of_the_edge import ANN_KEY
from upstream import upstream

DATA = ROOT / ".dev"
METRICS = "127.0.0.1:9464"


def main() -> int:
    """Runs until SIGINT or SIGTERM; gives the exit code."""
    # The default address of `ask`, seen from the top of the repository.
    os.chdir(ROOT)
    # Said outright: a shell starts background jobs with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    say("Starting PostgreSQL, the sidecar and Envoy ...")
    try:
        settings = {
            "metrics": {"address": METRICS},
            "edge": {"routes_file": str(EXAMPLES / "routes.yaml")},
        }
        socket = ".dev/authz.sock"
        with (
            dev_server(DATA, f"unix:{socket}", settings) as server,
            upstream() as application,
            envoy(shipped(Path(socket), application), DATA / "envoy") as port,
        ):
            say(hints(f"http://{HOST}:{port}"))
            server.wait()
        say("The server has ended; .dev/server.log says why.")
    except NotStartedError as error:
        sys.stderr.write(f"error: {error}\n")
    except KeyboardInterrupt:
        say("\nStopped.")
        return 0
    return 1


def hints(url: str) -> str:
    """What to try, ready to paste; `url` is Envoy's."""
    program = Path(sys.executable).parent / "authz-sidecar"
    is_installed = program.exists()
    name = os.path.relpath(program if is_installed else sys.executable)
    ask = f"{name} ask" if is_installed else f"{name} -m sidecar ask"
    return f"""\
Up. The data is examples/gpu-cloud.yaml, the routes are examples/routes.yaml; the log is .dev/server.log. Paste what you like:

  where may Ann act?
    {ask} list-contexts --user 1
  what does Ann, acting in Aurora Labs, see? her cluster, a shared, a foreign, a missing one
    {ask} check-visible --user 1 --org 1 cluster/1 cluster/4 cluster/3 cluster/999
  may Ben change a cluster of Aurora's, and if not, why not?
    {ask} check-writable --user 2 --org 1 cluster/1 --explain
  what do Ben's roles allow, in general and in one feature?
    {ask} get-permissions --user 2 --org 1 DATA:data.TrainingRun DATA:data.TrainingRun@finetune-aurora
  may Ben start a training run on a worker that he sees?
    {ask} authorize --user 2 --org 1 visible:worker/11 'permission:DATA:data.TrainingRun@finetune-aurora:create>=my'
  which clusters does Ben list, as SQL?
    {ask} get-list-filter --user 2 --org 1 cluster --column owner_principal_id=c.owner_id --column id=c.id
  whose API key is this?
    AUTHZ_API_KEY=gpk_annborealis_EXAMPLE-ann-borealis-0002 {ask} resolve-context
  what reaches an application behind Envoy, when Ann asks for a cluster of Aurora's? and when nobody does?
    curl -i {url}/v2/clusters/1 -H 'x-api-key: {ANN_KEY}' -H 'x-organization-id: 1'
    curl -i {url}/v2/clusters/1 -H 'x-authz-user-id: 6'
  is the server well, and how is it doing?
    {ask.removesuffix(" ask")} health
    curl -s http://{METRICS}/metrics

Ctrl-C ends it.
"""  # noqa: E501  commands are pasted as they stand


def say(text: str) -> None:
    """Prints at once, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
