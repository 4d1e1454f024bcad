"""Whether a server says that it serves."""

from dataclasses import dataclass
from typing import Annotated

import grpc
import typer
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rich.text import Text

from sidecar.command.client import open_channel
from sidecar.command.failures import CallFailedError, failure_of
from sidecar.command.options import Connection
from sidecar.command.problems import OptionError
from sidecar.command.question import report
from sidecar.command.screen import ExitCode, Screen

_Status = health_pb2.HealthCheckResponse


@dataclass(frozen=True, kw_only=True)
class Health(Connection):
    """Is the server well? Ends with 0 for yes, 1 for no, 2 when it does not say."""

    component: Annotated[
        str, typer.Option(help="A service or component; the whole server when empty.")
    ] = ""

    def run(self, screen: Screen) -> ExitCode:
        """Asks gRPC's health service."""
        try:
            status = self._check()
        except OptionError as error:
            screen.show_error(str(error))
            return ExitCode.UNDECIDED
        except CallFailedError as failure:
            # Here NOT_FOUND says that nothing of that name is there to be well.
            report(failure, screen, is_json=self.json)
            return ExitCode.UNDECIDED
        self._show(status, screen)
        return _CODES.get(status, ExitCode.UNDECIDED)

    def _check(self) -> int:
        request = health_pb2.HealthCheckRequest(service=self.component)
        with open_channel(self) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            try:
                return int(stub.Check(request, timeout=self.timeout).status)
            except grpc.RpcError as error:
                raise failure_of(error) from error

    def _show(self, status: int, screen: Screen) -> None:
        word = _Status.ServingStatus.Name(status)
        if self.json:
            screen.show_json({"status": word})
        else:
            screen.show(Text(word, "green" if status == _Status.SERVING else "red"))


_CODES: dict[int, ExitCode] = {
    _Status.SERVING: ExitCode.ALLOWED,
    _Status.NOT_SERVING: ExitCode.DENIED,
}
