"""The story of the demo: one question after the other, with what must come of it."""

import story_of_roles
import story_of_tenants
from authz.v1.authorization_service_pb2_grpc import AuthorizationServiceStub
from questions import Questions
from telling import Telling


def tell(stub: AuthorizationServiceStub, telling: Telling) -> None:
    """Tells the whole story, every call of the API but the stream Watch."""
    ask = Questions(stub)
    story_of_tenants.tell_of_tenants(ask, telling)
    story_of_tenants.tell_of_seeing(ask, telling)
    story_of_tenants.tell_of_changing(ask, telling)
    story_of_tenants.tell_of_the_platform(ask, telling)
    story_of_roles.tell_of_permissions(ask, telling)
    story_of_roles.tell_of_lists(ask, telling)
    story_of_roles.tell_of_requirements(ask, telling)
    story_of_roles.tell_of_keys(ask, telling)
    story_of_roles.tell_of_the_rest(ask, telling)
