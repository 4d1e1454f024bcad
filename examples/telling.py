"""How the demo tells: a question in words, the answer, and whether it is as told."""

import sys
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import grpc
from authz.v1 import caller_pb2, decision_pb2, filter_pb2, permission_pb2
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

WIDTH = 78
_OPERATIONS = ("read", "create", "update", "delete")


@dataclass
class Telling:
    """Tells scene after scene, and remembers which answers were not as told."""

    is_terminal: bool = field(default_factory=sys.stdout.isatty)
    answers: int = 0
    surprises: list[str] = field(default_factory=list)

    def chapter(self, title: str, text: str) -> None:
        """Begins a new part of the story."""
        self._line("")
        self._line(self._bold(title))
        self._line(textwrap.fill(" ".join(text.split()), WIDTH))

    def scene(self, question: str, ask: Callable[[], str], told: str, why: str) -> None:
        """Asks one question and compares its answer with what is told of it.

        `ask` gives the answer in one or several lines; `told` is what it must be.
        """
        self._line("")
        self._line(textwrap.fill(f"? {question}", WIDTH, subsequent_indent="  "))
        answer = answer_of(ask)
        self.answers += 1
        for line in answer.splitlines():
            self._line(f"  -> {line}")
        if answer != told:
            self.surprises.append(question)
            self._line(f"  !! the story has it otherwise: {told}")
        self._line(
            textwrap.fill(why, WIDTH, initial_indent="     ", subsequent_indent="     ")
        )

    def aside(self, lines: Iterable[str]) -> None:
        """Shows more of an answer than is compared."""
        for line in lines:
            self._line(f"     | {line}")

    def end(self) -> int:
        """Sums up; gives the exit code."""
        self._line("")
        if self.surprises:
            self._line(f"{len(self.surprises)} of {self.answers} answers surprise:")
            for question in self.surprises:
                self._line(f"  {question}")
            return 1
        self._line(f"All {self.answers} answers are as told.")
        return 0

    def _bold(self, text: str) -> str:
        return f"\033[1m{text}\033[0m" if self.is_terminal else f"== {text} =="

    def _line(self, text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def answer_of(ask: Callable[[], str]) -> str:
    """The answer in words; a call that ends with a status is an answer too."""
    try:
        return ask()
    except grpc.RpcError as error:
        if not isinstance(error, grpc.Call):
            raise
        return f"{error.code().name} {_reason(error)}".strip()


def decision_words(decision: decision_pb2.Decision) -> str:
    """`allowed OWNED` or `denied FORBIDDEN OTHER_OWNER`."""
    reason = decision_pb2.Reason.Name(decision.reason).removeprefix("REASON_")
    if decision.allowed:
        return f"allowed {reason}"
    denial = decision_pb2.Denial.Name(decision.denial).removeprefix("DENIAL_")
    return f"denied {denial} {reason}"


def context_words(context: caller_pb2.TenantContext) -> str:
    """As whom, in which role, with which clusters."""
    if not context.HasField("current_principal_id"):
        return "All mode"
    scope = "personal" if context.current_is_personal_scope else _role(context.org_role)
    clusters = ", ".join(context.accessible_cluster_ids) or "none"
    return f"principal {context.current_principal_id}, {scope}, clusters {clusters}"


def available_words(context: caller_pb2.AvailableContext) -> str:
    """One of the contexts that a caller may choose."""
    kind = caller_pb2.ContextKind.Name(context.kind).removeprefix("CONTEXT_KIND_")
    if kind != "ORGANIZATION":
        return f"{kind} {context.name}".strip()
    return f"{kind} {context.principal_id} {context.name}, {_role(context.org_role)}"


def permission_words(permissions: permission_pb2.Permissions) -> str:
    """`view, read GROUP` and so on, or `nothing`."""
    levels = {name: _level(getattr(permissions, name)) for name in _OPERATIONS}
    words = ["view"] if permissions.view else []
    words += [f"{name} {level}" for name, level in levels.items() if level != "NONE"]
    return ", ".join(words) or "nothing"


def parameter_words(parameter: filter_pb2.SqlParameter) -> str:
    """A SQL parameter as a value."""
    match parameter.WhichOneof("value"):
        case "int64_array":
            return str(list(parameter.int64_array.values))
        case "int64":
            return str(parameter.int64)
        case name:
            return str(getattr(parameter, str(name)))


def step_words(step: decision_pb2.ExplanationStep) -> str:
    """One step of an explanation."""
    outcome = decision_pb2.StepOutcome.Name(step.outcome)
    word = outcome.removeprefix("STEP_OUTCOME_").lower()
    return f"{word:<8}{step.rule}  {step.detail}".rstrip()


def role_words(role: permission_pb2.RoleExplanation) -> str:
    """One role of an explanation: what became of it."""
    outcome = permission_pb2.RoleOutcome.Name(role.outcome)
    return f"{role.label}: {outcome.removeprefix('ROLE_OUTCOME_')}"


def _role(role: int) -> str:
    name = caller_pb2.OrgRole.Name(role).removeprefix("ORG_ROLE_").lower()
    return "no role" if name == "unspecified" else name


def _level(level: int) -> str:
    return permission_pb2.AccessLevel.Name(level).removeprefix("ACCESS_LEVEL_")


def _reason(call: grpc.Call) -> str:
    details = dict(call.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    info = ErrorInfo()
    for detail in Status.FromString(details).details:
        if detail.Unpack(info):
            return info.reason
    return ""
