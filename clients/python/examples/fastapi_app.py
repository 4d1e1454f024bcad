"""A FastAPI application that asks the sidecar before each route.

AUTHZ_TARGET=unix:authz.sock uvicorn fastapi_app:app
curl -i localhost:8000/clusters/1 -H 'x-api-key: …' -H 'x-organization-id: 1'
"""

import os
from typing import Annotated

from authz.client import (
    AnyOrgRole,
    AsyncClient,
    Caller,
    Field,
    OrgRole,
    TenantContext,
)
from authz.client.fastapi import Guard, Refusals
from authz.client.needs import in_role, visible
from authz.client.sqlalchemy import where
from fastapi import Depends, FastAPI
from sqlalchemy import StaticPool, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

TARGET = os.environ.get("AUTHZ_TARGET", "unix:authz.sock")
guard = Guard(lambda: AsyncClient.connect(TARGET))
app = FastAPI(lifespan=guard.lifespan)
app.add_middleware(Refusals)


class Base(DeclarativeBase):
    """What the tables have in common."""


class Model(Base):
    """A row of the kind `model`."""

    __tablename__ = "models"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int]


engine = create_engine(
    "sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool
)
Base.metadata.create_all(engine)
with Session(engine) as session, session.begin():
    session.add_all([Model(id=1, owner_id=20), Model(id=2, owner_id=21)])

Tenant = Annotated[TenantContext, Depends(guard.tenant)]
SeesCluster = Annotated[
    TenantContext, Depends(guard.requires(visible("cluster", "cluster_id")))
]
Administers = Annotated[
    TenantContext,
    Depends(
        guard.requires(
            in_role(AnyOrgRole.of(OrgRole.ADMIN)), visible("cluster", "cluster_id")
        )
    ),
]


@app.get("/me")
async def me(tenant: Tenant) -> dict[str, str | None]:
    """As which tenant the caller acts."""
    return {"user": tenant.user_id, "principal": tenant.current_principal_id}


@app.get("/clusters/{cluster_id}")
async def cluster(cluster_id: str, tenant: SeesCluster) -> dict[str, str]:
    """One cluster, for those who may see it."""
    return {"cluster": cluster_id, "user": tenant.user_id}


@app.post("/clusters/{cluster_id}/restart")
async def restart(cluster_id: str, tenant: Administers) -> dict[str, str]:
    """Something that only administrators may do."""
    return {"restarted": cluster_id, "user": tenant.user_id}


@app.get("/models")
async def models(caller: Annotated[Caller, Depends(guard.caller)]) -> list[int]:
    """The rows that the caller may list, and no others."""
    found = await guard.client.get_list_filter(caller, "model")
    condition = where(found, {Field.OWNER_PRINCIPAL_ID: Model.owner_id})
    with Session(engine) as reading:
        return list(reading.scalars(select(Model.id).where(condition)))
