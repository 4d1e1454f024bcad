"""The first half of the story: tenants, what they see, what they change."""

from authz.v1.caller_pb2 import ORG_ROLE_ADMIN, Caller
from authz.v1.resource_pb2 import (
    NewResource,
    OrgRoles,
    Resource,
    ResourceAttributes,
    RoleGate,
)
from people import (
    ANN,
    ANN_AT_AURORA,
    AURORA,
    BEN,
    BEN_AT_AURORA,
    BOREALIS,
    CIRRUS,
    CLEO_AT_BOREALIS,
    PIA,
    PIA_EVERYWHERE,
    cluster,
)
from questions import Questions
from telling import Telling, decision_words, step_words


def tell_of_tenants(ask: Questions, telling: Telling) -> None:
    """ListContexts and ResolveContext."""
    telling.chapter(
        "1. As whom?",
        """Ann is the admin of Aurora Labs, and helps out at Borealis Robotics. Before
        anything else, the sidecar settles as which tenant somebody acts.""",
    )
    telling.scene(
        "Where may Ann act?",
        lambda: ask.contexts(Caller(user_id=ANN)),
        "PERSONAL Ann\nORGANIZATION 1 Aurora Labs, admin\n"
        "ORGANIZATION 2 Borealis Robotics, user",
        "On her own, and where she has an active membership. The one at Cirrus Health "
        "is disabled. This is what fills the organization menu of an application.",
    )
    telling.scene(
        "Ann sends X-Organization-Id: 1. As whom does she act?",
        lambda: ask.context(ANN_AT_AURORA),
        "principal 1, admin, clusters 4",
        "As Aurora Labs, in her role there, with the cluster that is granted to it.",
    )
    telling.scene(
        "Ann sends X-Organization-Id: 3, which is Cirrus Health.",
        lambda: ask.context(Caller(user_id=ANN, organization_id=CIRRUS)),
        "PERMISSION_DENIED NOT_A_MEMBER",
        "A disabled membership is none. An organization that does not exist would "
        "answer the same, so nobody can find out who the customers are.",
    )


def tell_of_seeing(ask: Questions, telling: Telling) -> None:
    """CheckVisible."""
    telling.chapter(
        "2. Who sees what?",
        """Clusters are seen by their owner and by whom they are granted to, models
        by their owner, or by all when nobody owns them.""",
    )
    telling.scene(
        "Ann at Aurora: may I see Aurora's cluster 2, the common cluster 4, and the "
        "published model 4?",
        lambda: ask.visible(
            ANN_AT_AURORA, cluster("2"), cluster("4"), Resource(kind="model", id="4")
        ),
        "allowed OWNED\nallowed GRANTED\nallowed GLOBAL_VISIBLE",
        "Three answers for three reasons, in one call. The sidecar looks up who owns "
        "what; an application that has read the row may send that along instead.",
    )
    telling.scene(
        "Ann at Aurora: may I see cluster 3, and cluster 999?",
        lambda: ask.look_alike(ANN_AT_AURORA, cluster("3"), cluster("999")),
        "denied NOT_FOUND RESOURCE_NOT_FOUND, the same bytes",
        "Cluster 3 belongs to Borealis, 999 does not exist. The answers are equal to "
        "the byte: a foreign row looks missing.",
    )
    telling.scene(
        "Ben, of Aurora's research group, at Aurora: may I see cluster 5, and its "
        "worker 15? The application says what it knows of the worker.",
        lambda: ask.visible(
            BEN_AT_AURORA,
            cluster("5"),
            Resource(
                kind="worker",
                id="15",
                attributes=ResourceAttributes(
                    owner_principal_id=CIRRUS, cluster_id="5"
                ),
            ),
        ),
        "allowed GRANTED\nallowed GRANTED",
        "Cirrus Health lends the cluster to that group, and its workers with it.",
    )
    telling.scene(
        "Ben, at home and not acting for Aurora: may I see cluster 5?",
        lambda: ask.visible(Caller(user_id=BEN), cluster("5")),
        "denied NOT_FOUND RESOURCE_NOT_FOUND",
        "What a group may is for its organization's work only.",
    )


def tell_of_changing(ask: Questions, telling: Telling) -> None:
    """CheckWritable, explained too, CheckCreatable and CheckRole."""
    telling.chapter(
        "3. Who changes what?",
        "An organization's admins change what it owns, and nothing else.",
    )
    telling.scene(
        "Ann at Aurora: may I change cluster 1, and the common cluster 4?",
        lambda: ask.writable(ANN_AT_AURORA, cluster("1"), cluster("4")),
        "allowed ORG_ADMIN\ndenied FORBIDDEN GLOBAL_RESOURCE",
        "Aurora owns cluster 1 and Ann is its admin. Nobody owns cluster 4.",
    )
    telling.scene(
        "Cleo, the admin of Borealis: may I change cluster 1, which Aurora lends us?",
        lambda: ask.writable(CLEO_AT_BOREALIS, cluster("1")),
        "denied FORBIDDEN OTHER_OWNER",
        "She sees it, so the answer is honest: somebody else owns it.",
    )
    refused = ask.why_not_writable(BEN_AT_AURORA, cluster("1"))
    telling.scene(
        "Ben at Aurora: may I change cluster 1? And his admin asks: why not?",
        lambda: decision_words(refused),
        "denied FORBIDDEN INSUFFICIENT_ORG_ROLE",
        "He is a user there, not an admin. The explanation goes through the rules:",
    )
    telling.aside(step_words(step) for step in refused.explanation.steps)
    telling.scene(
        "Ann at Aurora: may I create a model for Aurora, and one for Borealis?",
        lambda: ask.creatable(
            ANN_AT_AURORA,
            NewResource(kind="model", owner_principal_id=AURORA),
            NewResource(kind="model", owner_principal_id=BOREALIS),
        ),
        "allowed ORG_ADMIN\ndenied INVALID OTHER_OWNER",
        "She creates only as whom she acts; for Borealis she would act there.",
    )
    telling.scene(
        "Ben at Aurora: am I an admin here?",
        lambda: ask.has_role(
            BEN_AT_AURORA, RoleGate(any_of_org_roles=OrgRoles(roles=[ORG_ROLE_ADMIN]))
        ),
        "denied FORBIDDEN INSUFFICIENT_ORG_ROLE",
        "A gate on the caller alone, for pages such as the organization's settings.",
    )


def tell_of_the_platform(ask: Questions, telling: Telling) -> None:
    """What platform admins may, and what not."""
    telling.chapter(
        "4. And who runs the platform?",
        """Pia is a platform admin. Without an organization she is in All mode, across
        all tenants; within one, she keeps to its rules more than one would think.""",
    )
    telling.scene(
        "Pia in All mode: may I see cluster 3, change cluster 4, and am I an admin?",
        lambda: "\n".join(
            [
                ask.visible(PIA_EVERYWHERE, cluster("3")),
                ask.writable(PIA_EVERYWHERE, cluster("4")),
                ask.has_role(PIA_EVERYWHERE, RoleGate(platform_admin=True)),
            ]
        ),
        "allowed BYPASS_PLATFORM_ADMIN\nallowed BYPASS_PLATFORM_ADMIN\n"
        "allowed PLATFORM_ADMIN",
        "Every row that exists is hers to see and to change.",
    )
    telling.scene(
        "Pia acting for Aurora: may I see Borealis's cluster 3?",
        lambda: ask.visible(Caller(user_id=PIA, organization_id=AURORA), cluster("3")),
        "denied NOT_FOUND RESOURCE_NOT_FOUND",
        "Whoever acts for a tenant sees what that tenant sees.",
    )
