//! Names and values as the JSON bodies of Tempo's tag endpoints (version 2): what Tempo answers whatever the data is
//! answered so, too.

use serde_json::{Map, Value as Json, json};

use crate::{
    ScopeNames, TagNames, TagScope, TagValue, TagValues,
    syntax::ast::{Field, Intrinsic, Kind, Status},
};

/// Names as Tempo's `/api/v2/search/tags` gives them. Of intrinsics it lists every spelling, and none of ours.
#[must_use]
pub fn tag_names_to_tempo(names: &TagNames) -> Json {
    let scope = |scope: &ScopeNames| match scope.scope {
        TagScope::Intrinsic => json!({ "name": scope.scope.name(), "tags": spellings() }),
        _ => json!({ "name": scope.scope.name(), "tags": scope.names }),
    };
    json!({ "scopes": names.scopes.iter().map(scope).collect::<Vec<_>>() })
}

/// Values as Tempo's `/api/v2/search/tag/<field>/values` gives them: in the order of ours, and without their counts.
#[must_use]
pub fn tag_values_to_tempo(values: &TagValues) -> Json {
    fixed_tag_values(&values.field).unwrap_or_else(
        || json!({ "tagValues": values.values.iter().map(|found| value(&values.field, found)).collect::<Vec<_>>() }),
    )
}

/// What Tempo answers for some fields without a look at the data: all words of keywords, and nothing of ids and
/// durations. `None` for all other fields.
#[must_use]
pub fn fixed_tag_values(field: &Field) -> Option<Json> {
    let Field::Intrinsic(intrinsic) = field else { return None };
    let words: Vec<String> = match intrinsic {
        Intrinsic::Status => [Status::Ok, Status::Error, Status::Unset].map(|status| status.to_string()).into(),
        Intrinsic::Kind => {
            use Kind::{Client, Consumer, Internal, Producer, Server, Unspecified};
            [Client, Consumer, Internal, Producer, Server, Unspecified].map(|kind| kind.to_string()).into()
        }
        Intrinsic::Duration
        | Intrinsic::TraceDuration
        | Intrinsic::TraceId
        | Intrinsic::SpanId
        | Intrinsic::SpanParentId
        | Intrinsic::LinkTraceId
        | Intrinsic::LinkSpanId => Vec::new(),
        _ => return None,
    };
    let words = words.into_iter().map(|word| json!({ "type": "keyword", "value": word }));
    Some(json!({ "tagValues": words.collect::<Vec<_>>() }))
}

/// Fields that are empty are left out, as in all JSON of protobuf.
fn value(field: &Field, found: &TagValue) -> Json {
    let (type_name, text) = match &found.value {
        // Where Tempo lists durations, they are numbers of nanoseconds.
        crate::Value::Duration(nanos) if matches!(field, Field::Intrinsic(_)) => ("int", nanos.to_string()),
        _ => (found.type_name(), found.to_string()),
    };
    let mut object = Map::new();
    object.insert("type".to_owned(), json!(type_name));
    if !text.is_empty() {
        object.insert("value".to_owned(), json!(text));
    }
    Json::Object(object)
}

/// The intrinsics that Tempo lists, in every spelling.
fn spellings() -> Vec<String> {
    let listed = Intrinsic::ALL.into_iter().filter(|intrinsic| {
        !matches!(
            intrinsic,
            Intrinsic::ChildCount
                | Intrinsic::NestedSetLeft
                | Intrinsic::NestedSetRight
                | Intrinsic::NestedSetParent
                | Intrinsic::Parent
        )
    });
    let spellings = listed.flat_map(|intrinsic| {
        let scoped = intrinsic.scoped().map(|(scope, name)| format!("{scope}:{name}"));
        intrinsic.bare().map(str::to_owned).into_iter().chain(scoped)
    });
    let mut spellings: Vec<String> = spellings.collect();
    spellings.sort_unstable();
    spellings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;

    #[test]
    fn intrinsics_are_those_of_tempo() {
        let expected = "duration event:name event:timeSinceStart instrumentation:name instrumentation:version kind \
                        link:spanID link:traceID name rootName rootServiceName span:duration span:id span:kind span:name \
                        span:parentID span:status span:statusMessage status statusMessage trace:duration trace:id \
                        trace:rootName trace:rootService traceDuration";
        assert_eq!(spellings().join(" "), expected);
    }

    #[test]
    fn values_have_the_types_of_tempo() {
        let found = |value| TagValue { value, count: 1 };
        let values = [
            Value::String("x".to_owned()),
            Value::String(String::new()),
            Value::Int(-1),
            Value::Float(2.0),
            Value::Float(f64::NEG_INFINITY),
            Value::Bool(true),
        ];
        let field = crate::syntax::parse_field("span.a").unwrap();
        let values = TagValues { field, values: values.map(found).into(), distinct: 6 };
        let expected = json!({ "tagValues": [
            { "type": "string", "value": "x" },
            { "type": "string" },
            { "type": "int", "value": "-1" },
            { "type": "float", "value": "2.0" },
            { "type": "float", "value": "-Inf" },
            { "type": "bool", "value": "true" },
        ] });
        assert_eq!(tag_values_to_tempo(&values), expected);
        let field = Field::Intrinsic(Intrinsic::EventTimeSinceStart);
        let since = TagValues { field, values: vec![found(Value::Duration(1_500))], distinct: 1 };
        assert_eq!(tag_values_to_tempo(&since), json!({ "tagValues": [{ "type": "int", "value": "1500" }] }));
    }
}
