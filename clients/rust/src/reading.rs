//! From messages to answers; what no correct server sends is `Error::Protocol`.
//!
//! A field that is missing, a word that is not known, a number of answers that is not
//! the number of questions: none of it may come out as an answer.

use std::time::Duration;

use crate::answers::{
    Authorization, AvailableContext, AvailableContexts, Change, CheckedRole, Decision, Decisions,
    Permissions, PermissionsList, Position, ResolvedContext, RuleProblem, RuleProblems, ServerInfo,
    TenantContext, WatchEvent,
};
use crate::errors::Error;
use crate::v1;
use crate::words::{AccessLevel, ContextKind, Denial, Feature, OrgRole, Reason, RuleFault};

pub(crate) fn resolved_context(
    message: v1::ResolveContextResponse,
) -> Result<ResolvedContext, Error> {
    Ok(ResolvedContext {
        context: context(wanted(message.context, "context")?)?,
        revision: message.revision,
    })
}

pub(crate) fn available_contexts(
    message: v1::ListContextsResponse,
) -> Result<AvailableContexts, Error> {
    let contexts = message.contexts.into_iter().map(available);
    Ok(AvailableContexts {
        contexts: contexts.collect::<Result<_, _>>()?,
        revision: message.revision,
    })
}

pub(crate) fn decisions(
    found: Vec<v1::Decision>,
    decision_id: String,
    revision: Option<String>,
    count: usize,
) -> Result<Decisions, Error> {
    Ok(Decisions {
        each: numbered(found, &decision_id, count)?,
        decision_id,
        revision,
    })
}

pub(crate) fn checked_role(message: v1::CheckRoleResponse) -> Result<CheckedRole, Error> {
    let decided = wanted(message.decision, "decision")?;
    wanted_text(&message.decision_id, "decision_id")?;
    Ok(CheckedRole {
        decision: decision(decided, message.decision_id.clone())?,
        decision_id: message.decision_id,
        revision: message.revision,
    })
}

pub(crate) fn authorization(
    message: v1::AuthorizeResponse,
    count: usize,
) -> Result<Authorization, Error> {
    let decided = wanted(message.decision, "decision")?;
    let each = numbered(message.decisions, &message.decision_id, count)?;
    let verdict = decision(decided, message.decision_id.clone())?;
    if verdict.allowed() != each.iter().all(Decision::allowed) {
        let told = "the answer's verdict is not that of its decisions";
        return Err(Error::protocol(told));
    }
    if verdict.allowed() && message.context.is_none() {
        return Err(lacks("context"));
    }
    Ok(Authorization {
        decision: verdict,
        decisions: each,
        context: message.context.map(context).transpose()?,
        decision_id: message.decision_id,
        revision: message.revision,
    })
}

pub(crate) fn permissions_list(
    message: v1::GetPermissionsResponse,
    count: usize,
) -> Result<PermissionsList, Error> {
    wanted_text(&message.decision_id, "decision_id")?;
    counted(message.permissions.len(), count)?;
    let each = message.permissions.into_iter().map(permissions);
    Ok(PermissionsList {
        permissions: each.collect::<Result<_, _>>()?,
        decision_id: message.decision_id,
        revision: message.revision,
    })
}

pub(crate) fn rule_problems(
    message: v1::ValidateAccessRulesResponse,
    count: usize,
) -> Result<RuleProblems, Error> {
    let problems = message.problems.into_iter().map(|each| {
        let rule_index = usize::try_from(each.rule_index).ok();
        let rule_index = rule_index.filter(|index| *index < count);
        Ok::<_, Error>(RuleProblem {
            rule_index: wanted(rule_index, "rule_index")?,
            field: each.field,
            reason: RuleFault::read(each.reason)?,
            message: each.message,
        })
    });
    Ok(RuleProblems {
        problems: problems.collect::<Result<_, _>>()?,
    })
}

/// Features that are not known here are left out.
pub(crate) fn server_info(message: v1::GetServerInfoResponse) -> Result<ServerInfo, Error> {
    let features = message.features.iter();
    Ok(ServerInfo {
        version: message.version,
        engine: message.engine,
        configuration_digest: message.configuration_digest,
        schema_version: message.schema_version,
        features: features
            .filter_map(|number| Feature::read(*number).ok())
            .collect(),
        position: position(message.position),
        staleness: message.staleness.map(duration).transpose()?,
        max_staleness: message.max_staleness.map(duration).transpose()?,
    })
}

pub(crate) fn watch_event(message: v1::WatchResponse) -> Result<WatchEvent, Error> {
    use v1::watch_response::Event;
    match message.event {
        Some(Event::Changes(changes)) => {
            let each = changes.changes.into_iter().map(|change| Change {
                group: change.group,
                key: change.key,
                revision: change.revision,
            });
            Ok(WatchEvent::Changes(each.collect()))
        }
        Some(Event::DropEverything(drop)) => Ok(WatchEvent::DropEverything {
            revision: drop.revision,
        }),
        Some(Event::Beat(beat)) => Ok(WatchEvent::Beat {
            revision: beat.revision,
            staleness: beat.staleness.map(duration).transpose()?,
            position: position(beat.position),
        }),
        // It may be news of a change that a newer server tells in another way.
        None => {
            let told = "the stream has a message that is not known here";
            Err(Error::protocol(told))
        }
    }
}

fn numbered(
    found: Vec<v1::Decision>,
    decision_id: &str,
    count: usize,
) -> Result<Vec<Decision>, Error> {
    wanted_text(decision_id, "decision_id")?;
    counted(found.len(), count)?;
    let each = found.into_iter().enumerate();
    each.map(|(number, one)| decision(one, format!("{decision_id}.{number}")))
        .collect()
}

fn decision(message: v1::Decision, decision_id: String) -> Result<Decision, Error> {
    let denial = match message.denial {
        0 => None,
        number => Some(Denial::read(number)?),
    };
    if message.allowed != denial.is_none() {
        let told = "the answer has a decision that both allows and denies";
        return Err(Error::protocol(told));
    }
    let reason = Reason::read(message.reason)?;
    if message.allowed != reason.allows() {
        let told = format!("the answer has a decision with the reason `{reason}`");
        return Err(Error::protocol(told));
    }
    Ok(Decision {
        denial,
        reason,
        message: message.message,
        decision_id,
        explanation: message.explanation,
    })
}

fn context(message: v1::TenantContext) -> Result<TenantContext, Error> {
    wanted_text(&message.user_id, "context.user_id")?;
    Ok(TenantContext {
        user_id: message.user_id,
        is_platform_admin: message.is_platform_admin,
        is_system: message.is_system,
        current_principal_id: message.current_principal_id,
        org_role: message.org_role.map(OrgRole::read).transpose()?,
        accessible_cluster_ids: message.accessible_cluster_ids,
        current_is_personal_scope: message.current_is_personal_scope,
        bypass: message.bypass,
        has_org_context: message.has_org_context,
        write_principal_id: message.write_principal_id,
    })
}

fn available(message: v1::AvailableContext) -> Result<AvailableContext, Error> {
    Ok(AvailableContext {
        kind: ContextKind::read(message.kind)?,
        principal_id: message.principal_id,
        org_role: message.org_role.map(OrgRole::read).transpose()?,
        name: message.name,
    })
}

fn permissions(message: v1::Permissions) -> Result<Permissions, Error> {
    Ok(Permissions {
        view: message.view,
        read: AccessLevel::read(message.read)?,
        create: AccessLevel::read(message.create)?,
        update: AccessLevel::read(message.update)?,
        delete: AccessLevel::read(message.delete)?,
        explanation: message.explanation,
    })
}

fn position(message: Option<v1::WatchPosition>) -> Option<Position> {
    let named = message.filter(|position| !position.server.is_empty())?;
    Some(Position {
        server: named.server,
        number: named.number,
    })
}

fn duration(message: prost_types::Duration) -> Result<Duration, Error> {
    let told = "the answer has a duration that is none";
    Duration::try_from(message).map_err(|_| Error::protocol(told))
}

fn counted(found: usize, wanted: usize) -> Result<(), Error> {
    if found != wanted || found == 0 {
        let told = format!("the answer has {found} parts instead of {wanted}");
        return Err(Error::protocol(told));
    }
    Ok(())
}

fn wanted<T>(found: Option<T>, field: &str) -> Result<T, Error> {
    found.ok_or_else(|| lacks(field))
}

fn wanted_text(found: &str, field: &str) -> Result<(), Error> {
    if found.is_empty() {
        return Err(lacks(field));
    }
    Ok(())
}

fn lacks(field: &str) -> Error {
    Error::protocol(format!("the answer lacks `{field}`"))
}
