"""The second half of the story: roles, lists, requirements, credentials, rules."""

from authz.v1.caller_pb2 import Caller, Subject
from authz.v1.permission_pb2 import (
    ACCESS_LEVEL_GROUP,
    ACCESS_LEVEL_MY,
    OPERATION_CREATE,
    OPERATION_DELETE,
    RULE_CONTEXT_DATA,
    RULE_CONTEXT_UI,
    AccessRule,
    PermissionQuery,
)
from authz.v1.resource_pb2 import (
    PermissionRequirement,
    Requirement,
    Resource,
)
from people import (
    ANN,
    ANN_AT_AURORA,
    AURORA,
    BEN_AT_AURORA,
    BOREALIS,
    PIA_EVERYWHERE,
    cluster,
    data,
)
from questions import Questions
from telling import Telling, role_words


def tell_of_permissions(ask: Questions, telling: Telling) -> None:
    """GetPermissions."""
    telling.chapter(
        "5. What do roles allow?",
        """Finer permissions come from roles with rules, held in an organization or
        in one feature of it. Levels: MY rows, those of my GROUP (the organization),
        ALL.""",
    )
    telling.scene(
        "Ann, an operator at Aurora: what may I do with contracts? And with the "
        "accounts of people?",
        lambda: ask.permissions(
            ANN_AT_AURORA, data("data.Contract"), data("data.User")
        ),
        "view, read GROUP, create GROUP, update GROUP, delete GROUP\nnothing",
        "The role says yes in general; its rule for data.User is more specific and "
        "replaces that completely.",
    )
    telling.scene(
        "Ben at Aurora: what may I do with training runs, in general and in the "
        "feature instance finetune-aurora?",
        lambda: ask.permissions(
            BEN_AT_AURORA,
            data("data.TrainingRun"),
            data("data.TrainingRun", "finetune-aurora"),
        ),
        "view, read GROUP\nview, read GROUP, create MY, update MY, delete MY",
        "In general he is a viewer. In that instance he is a trainer as well, and "
        "roles add up.",
    )
    telling.scene(
        "Ben at Aurora: and with invoices, as the billing clerk that I am?",
        lambda: ask.permissions(BEN_AT_AURORA, data("data.Invoice", "billing-aurora")),
        "view, read GROUP",
        "That instance is disabled, so its roles do not count; the viewer's do. The "
        "explanation goes through every role that he holds:",
    )
    invoices = data("data.Invoice", "billing-aurora")
    roles = ask.why_permissions(BEN_AT_AURORA, invoices).roles
    telling.aside(map(role_words, roles))
    telling.scene(
        "Ann at Borealis: which parts of the user interface do I get?",
        lambda: ask.permissions(
            Caller(user_id=ANN, organization_id=BOREALIS),
            PermissionQuery(context=RULE_CONTEXT_UI, item="ui.dashboard.gpus"),
            PermissionQuery(context=RULE_CONTEXT_UI, item="ui.training"),
        ),
        "view\nnothing",
        "There she is a viewer: the dashboard and what is below it, and no more.",
    )


def tell_of_lists(ask: Questions, telling: Telling) -> None:
    """GetListFilter."""
    telling.chapter(
        "6. Which rows to list?",
        """To list, an application does not ask row by row. It gets a condition for
        its own query, always parenthesised, values only as parameters.""",
    )
    telling.scene(
        "Ben at Aurora: which clusters do I list?",
        lambda: ask.list_sql(BEN_AT_AURORA, "cluster"),
        'WHERE (("c"."owner_id" = $1) OR ("c"."id" = ANY($2)))\n$1 = 1\n$2 = [4, 5]',
        "Those that Aurora owns, the common one and the one that his group may use: "
        "exactly the rows of which CheckVisible says allowed.",
    )
    telling.scene(
        "Ben at Aurora: and which models, as far as I may read models at all?",
        lambda: ask.list_sql(BEN_AT_AURORA, "model", data("data.Model")),
        'WHERE (("c"."owner_id" = $1) AND ("c"."owner_id" = $2))\n$1 = 1\n$2 = 1',
        "His read level GROUP is the second half; a permission narrows and never "
        "widens. (This table keeps owner and organization in one column.)",
    )
    telling.scene(
        "Pia in All mode: which clusters do I list?",
        lambda: ask.list_sql(PIA_EVERYWHERE, "cluster"),
        "WHERE TRUE",
        "All of them, and the condition is still one that can be pasted anywhere.",
    )


def tell_of_requirements(ask: Questions, telling: Telling) -> None:
    """Authorize."""
    telling.chapter(
        "7. Several things at once",
        """Starting a training run needs a worker that one sees, and the permission to
        create runs. One call asks for both.""",
    )
    sees_worker = Requirement(visible=Resource(kind="worker", id="11"))
    may_create = Requirement(
        permission=PermissionRequirement(
            query=data("data.TrainingRun", "finetune-aurora"),
            operation=OPERATION_CREATE,
            least_level=ACCESS_LEVEL_MY,
        )
    )
    may_clean_up = Requirement(
        permission=PermissionRequirement(
            query=data("data.TrainingRun", "finetune-aurora"),
            operation=OPERATION_DELETE,
            least_level=ACCESS_LEVEL_GROUP,
        )
    )
    telling.scene(
        "Ben at Aurora: may I start a run on worker 11?",
        lambda: ask.authorize(BEN_AT_AURORA, sees_worker, may_create),
        "allowed ALL_HOLD",
        "Both hold.",
    )
    telling.scene(
        "Ben at Aurora: may I delete the runs of everybody here, too?",
        lambda: ask.authorize(BEN_AT_AURORA, sees_worker, may_create, may_clean_up),
        "denied FORBIDDEN INSUFFICIENT_PERMISSION",
        "The answer is the first requirement that fails: his level is MY, not GROUP.",
    )


def tell_of_keys(ask: Questions, telling: Telling) -> None:
    """Credentials instead of names."""
    telling.chapter(
        "8. API keys and sign-in names",
        """So far the application said who asks, and was believed, being on this side
        of the socket. It can also pass on what it was shown.""",
    )
    telling.scene(
        "Somebody shows Ann's key that is pinned to Borealis, and asks for Aurora.",
        lambda: ask.context(
            Caller(
                api_key="gpk_annborealis_EXAMPLE-ann-borealis-0002",
                organization_id=AURORA,
            )
        ),
        "principal 2, user, clusters 1",
        "A pin wins: this key acts in Borealis, whatever else is asked for.",
    )
    telling.scene(
        "Somebody shows a key that Ben lost, one that expired, and one made up.",
        lambda: "\n".join(
            ask.visible(Caller(api_key=key), cluster("2"))
            for key in (
                "gpk_benlost_EXAMPLE-ben-lost-0003",
                "gpk_bentrial_EXAMPLE-ben-trial-0004",
                "gpk_nobody_made-up",
            )
        ),
        "\n".join(["denied UNAUTHENTICATED INVALID_CREDENTIAL"] * 3),
        "One answer for every kind of bad key, so that there is nothing to learn.",
    )
    telling.scene(
        "Pia's key, pinned to herself: may I see cluster 3?",
        lambda: ask.visible(
            Caller(api_key="gpk_piahome_EXAMPLE-pia-home-0005"), cluster("3")
        ),
        "denied NOT_FOUND RESOURCE_NOT_FOUND",
        "In her personal scope a platform admin is like everybody else.",
    )
    telling.scene(
        "The sign-in service says that this is cleo@borealis.example.",
        lambda: ask.contexts(
            Caller(
                subject=Subject(
                    issuer="https://login.example.com",
                    subject="cleo@borealis.example",
                )
            )
        ),
        "PERSONAL Cleo\nORGANIZATION 2 Borealis Robotics, admin",
        "Names of identity providers are mapped to users.",
    )


def tell_of_the_rest(ask: Questions, telling: Telling) -> None:
    """ValidateAccessRules and GetServerInfo."""
    telling.chapter(
        "9. For those who write the rules",
        "Rules are checked before they are stored, by the same code.",
    )
    telling.scene(
        "A rule lets people read their own rows and update their organization's.",
        lambda: ask.problems(
            AccessRule(
                role_id="viewer",
                context=RULE_CONTEXT_DATA,
                item="data.Model",
                view=True,
                read=ACCESS_LEVEL_MY,
                update=ACCESS_LEVEL_GROUP,
            )
        ),
        "rule 0, update: EXCEEDS_READ",
        "Nobody changes what they cannot read. The database would refuse it as well.",
    )
    info = ask.server()
    telling.scene(
        "And who has answered all this?",
        lambda: "a server with a digest" if info.configuration_digest else "nobody",
        "a server with a digest",
        f"authz-sidecar {info.version}, speaking HTTP/2 with {info.engine}, settings "
        f"{info.configuration_digest[:12]}, so that one sees whether two are alike.",
    )
