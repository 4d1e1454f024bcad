"""Who asks in the story, and about what."""

from authz.v1.caller_pb2 import Caller
from authz.v1.permission_pb2 import (
    RULE_CONTEXT_DATA,
    PermissionQuery,
)
from authz.v1.resource_pb2 import (
    Resource,
)

ANN, BEN, CLEO, PIA = "1", "2", "3", "6"
AURORA, BOREALIS, CIRRUS = "1", "2", "3"
ANN_AT_AURORA = Caller(user_id=ANN, organization_id=AURORA)
BEN_AT_AURORA = Caller(user_id=BEN, organization_id=AURORA)
CLEO_AT_BOREALIS = Caller(user_id=CLEO, organization_id=BOREALIS)
PIA_EVERYWHERE = Caller(user_id=PIA)


def cluster(identifier: str) -> Resource:
    """A cluster of which the application knows only the id."""
    return Resource(kind="cluster", id=identifier)


def data(item: str, feature_instance_id: str | None = None) -> PermissionQuery:
    """A question about rows of data."""
    return PermissionQuery(
        context=RULE_CONTEXT_DATA,
        item=item,
        feature_instance_id=feature_instance_id,
    )
