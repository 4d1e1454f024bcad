//! Whether what came is what a vector wants.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

const OF_A_DECISION: [&str; 3] = ["allowed", "denial", "reason"];

/// Where they differ and how; none where they do not. What the wish lacks is not
/// compared, but for the parts of a decision.
pub fn difference(wanted: &Value, came: &Value, path: &str) -> Option<String> {
    match wanted {
        Value::Object(wanted) => objects(wanted, came, path),
        Value::Array(wanted) => arrays(wanted, came, path),
        _ if wanted != came => Some(format!("{path} is {came} instead of {wanted}")),
        _ => None,
    }
}

fn objects(wanted: &Map<String, Value>, came: &Value, path: &str) -> Option<String> {
    let Some(found) = came.as_object() else {
        return Some(format!("{path} is {came} instead of a message"));
    };
    let mut keys: BTreeSet<&str> = wanted.keys().map(String::as_str).collect();
    if keys.contains("allowed") {
        keys.extend(OF_A_DECISION.iter().filter(|key| found.contains_key(**key)));
    }
    let part = |of: &Map<String, Value>, key: &str| of.get(key).cloned().unwrap_or_default();
    keys.into_iter().find_map(|key| {
        difference(
            &part(wanted, key),
            &part(found, key),
            &format!("{path}.{key}"),
        )
    })
}

fn arrays(wanted: &[Value], came: &Value, path: &str) -> Option<String> {
    let found = came.as_array().map_or(&[][..], Vec::as_slice);
    if !came.is_array() || found.len() != wanted.len() {
        let (some, right) = (found.len(), wanted.len());
        return Some(format!("{path} has {some} elements instead of {right}"));
    }
    let pairs = wanted.iter().zip(found).enumerate();
    let mut told = pairs.map(|(at, (one, other))| difference(one, other, &format!("{path}[{at}]")));
    told.find_map(|each| each)
}
