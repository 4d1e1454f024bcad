"""A Django application that asks the sidecar before each view.

AUTHZ_TARGET=unix:authz.sock python django_app.py runserver
curl -i localhost:8000/clusters/1 -H 'x-api-key: …' -H 'x-organization-id: 1'
"""

import os
import sys

from authz.client import AnyOrgRole, OrgRole
from authz.client.django import public, requires, tenant_of
from authz.client.needs import in_role, visible
from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpRequest, JsonResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["localhost"],
    SECRET_KEY=os.environ.get("SECRET_KEY", "only-for-this-example"),
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["authz.client.django.TenantMiddleware"],
    AUTHZ_TARGET=os.environ.get("AUTHZ_TARGET", "unix:authz.sock"),
)


def me(request: HttpRequest) -> JsonResponse:
    """As which tenant the caller acts: asked for every view that is not public."""
    tenant = tenant_of(request)
    return JsonResponse(
        {"user": tenant.user_id, "principal": tenant.current_principal_id}
    )


@requires(visible("cluster", "cluster_id"))
def cluster(request: HttpRequest, cluster_id: int) -> JsonResponse:
    """One cluster, for those who may see it."""
    return JsonResponse({"cluster": cluster_id, "user": tenant_of(request).user_id})


@requires(in_role(AnyOrgRole.of(OrgRole.ADMIN)), visible("cluster", "cluster_id"))
def restart(request: HttpRequest, cluster_id: int) -> JsonResponse:
    """Something that only administrators may do."""
    return JsonResponse({"restarted": cluster_id, "user": tenant_of(request).user_id})


@public
def alive(request: HttpRequest) -> JsonResponse:
    """What anybody may ask."""
    return JsonResponse({"method": request.method})


urlpatterns = [
    path("me", me),
    path("clusters/<int:cluster_id>", cluster),
    path("clusters/<int:cluster_id>/restart", restart),
    path("alive", alive),
]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
