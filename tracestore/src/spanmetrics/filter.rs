//! Which spans count: policies over kind, name, status and attributes, or any predicate.

use std::{fmt, sync::Arc};

use regex::Regex;

use super::{config::ConfigError, span::SpanFacts, value::AttributeValue};

/// A condition over one span, known to the host: TraceQL's filters are some.
pub trait SpanPredicate: fmt::Debug + Send + Sync {
    /// Whether a span meets it.
    fn matches(&self, span: &SpanFacts<'_>) -> bool;
}

/// Lets a span through that meets `include`, one condition of `include_any`, and not `exclude`; what is not there lets
/// all through.
#[derive(Debug, Clone, Default)]
pub struct FilterPolicy {
    /// All of its conditions have to be met.
    pub include: Option<PolicyMatch>,
    /// One of its conditions has to be met.
    pub include_any: Option<PolicyMatch>,
    /// Spans that meet all of its conditions do not count.
    pub exclude: Option<PolicyMatch>,
}

/// Conditions.
#[derive(Debug, Clone)]
pub enum PolicyMatch {
    /// Values that have to be the same.
    Strict(Vec<PolicyCondition>),
    /// Texts that patterns have to be found in.
    Regex(Vec<PolicyCondition>),
    /// Anything else.
    Predicate(Arc<dyn SpanPredicate>),
}

/// What a part of a span has to be.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyCondition {
    /// `kind`, `name`, `status`, `span.ATTRIBUTE` or `resource.ATTRIBUTE`.
    pub key: String,
    /// The value, or pattern: `SPAN_KIND_SERVER`, `STATUS_CODE_ERROR` for the first and the third.
    pub value: PolicyValue,
}

/// A value that attributes are compared with. An integer and a float are the same number.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the types of values")]
pub enum PolicyValue {
    String(String),
    Bool(bool),
    Int(i64),
    Double(f64),
}

/// Policies in the form that is asked.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    policies: Vec<[Option<(Quantifier, Conditions)>; 3]>,
}

#[derive(Debug, Clone, Copy)]
enum Quantifier {
    All,
    Any,
    NotAll,
}

#[derive(Debug)]
enum Conditions {
    Tests(Vec<(Part, Test)>),
    Predicate(Arc<dyn SpanPredicate>),
}

#[derive(Debug)]
enum Part {
    Kind,
    Name,
    Status,
    Span(String),
    Resource(String),
}

#[derive(Debug)]
enum Test {
    Is(PolicyValue),
    Matches(Regex),
}

impl Filter {
    pub(crate) fn new(policies: &[FilterPolicy]) -> Result<Self, ConfigError> {
        let compile = |policy: &FilterPolicy| {
            let part = |quantifier, found: &Option<PolicyMatch>| {
                found.as_ref().map(|found| Ok((quantifier, Conditions::new(found)?))).transpose()
            };
            Ok([
                part(Quantifier::All, &policy.include)?,
                part(Quantifier::Any, &policy.include_any)?,
                part(Quantifier::NotAll, &policy.exclude)?,
            ])
        };
        Ok(Self { policies: policies.iter().map(compile).collect::<Result<_, _>>()? })
    }

    /// Whether a span counts.
    pub(crate) fn lets(&self, span: &SpanFacts<'_>) -> bool {
        self.policies.iter().flatten().flatten().all(|(quantifier, conditions)| match quantifier {
            Quantifier::All => conditions.all(span),
            Quantifier::Any => conditions.any(span),
            Quantifier::NotAll => !conditions.all(span),
        })
    }
}

impl Conditions {
    fn new(found: &PolicyMatch) -> Result<Self, ConfigError> {
        let (conditions, regex) = match found {
            PolicyMatch::Strict(conditions) => (conditions, false),
            PolicyMatch::Regex(conditions) => (conditions, true),
            PolicyMatch::Predicate(predicate) => return Ok(Self::Predicate(Arc::clone(predicate))),
        };
        let test = |condition: &PolicyCondition| {
            let part = Part::new(&condition.key)?;
            let test = match &condition.value {
                value if !regex => Test::Is(value.clone()),
                PolicyValue::String(pattern) => Test::Matches(Regex::new(pattern).map_err(|error| {
                    let reason = error.to_string();
                    ConfigError::Pattern { pattern: pattern.clone(), reason }
                })?),
                _ => return Err(ConfigError::PolicyValue { key: condition.key.clone() }),
            };
            Ok((part, test))
        };
        Ok(Self::Tests(conditions.iter().map(test).collect::<Result<_, _>>()?))
    }

    fn all(&self, span: &SpanFacts<'_>) -> bool {
        match self {
            Self::Tests(tests) => tests.iter().all(|(part, test)| test.holds(part, span)),
            Self::Predicate(predicate) => predicate.matches(span),
        }
    }

    fn any(&self, span: &SpanFacts<'_>) -> bool {
        match self {
            Self::Tests(tests) => tests.iter().any(|(part, test)| test.holds(part, span)),
            Self::Predicate(predicate) => predicate.matches(span),
        }
    }
}

impl Part {
    fn new(key: &str) -> Result<Self, ConfigError> {
        match key {
            "kind" => Ok(Self::Kind),
            "name" => Ok(Self::Name),
            "status" => Ok(Self::Status),
            _ => match key.split_once('.') {
                Some(("span", key)) if !key.is_empty() => Ok(Self::Span(key.to_owned())),
                Some(("resource", key)) if !key.is_empty() => Ok(Self::Resource(key.to_owned())),
                _ => Err(ConfigError::PolicyKey { key: key.to_owned() }),
            },
        }
    }
}

impl Test {
    fn holds(&self, part: &Part, span: &SpanFacts<'_>) -> bool {
        let value = match part {
            Part::Kind => return self.holds_of(&AttributeValue::String(&kind_text(span.kind))),
            Part::Status => return self.holds_of(&AttributeValue::String(&status_text(span.status_code))),
            Part::Name => Some(AttributeValue::String(span.name)),
            Part::Span(key) => span.attributes.get(key),
            Part::Resource(key) => span.resource.attributes.get(key),
        };
        value.is_some_and(|value| self.holds_of(&value))
    }

    fn holds_of(&self, value: &AttributeValue<'_>) -> bool {
        match (self, value) {
            (Self::Matches(pattern), AttributeValue::String(text)) => pattern.is_match(text),
            (Self::Is(PolicyValue::String(wanted)), AttributeValue::String(text)) => wanted == text,
            (Self::Is(PolicyValue::Bool(wanted)), AttributeValue::Bool(value)) => wanted == value,
            (Self::Is(PolicyValue::Int(wanted)), AttributeValue::Int(value)) => wanted == value,
            (Self::Is(PolicyValue::Int(wanted)), AttributeValue::Double(value)) => *wanted as f64 == *value,
            (Self::Is(PolicyValue::Double(wanted)), AttributeValue::Double(value)) => wanted == value,
            (Self::Is(PolicyValue::Double(wanted)), AttributeValue::Int(value)) => *wanted == *value as f64,
            _ => false,
        }
    }
}

/// A kind as OTLP's enum calls it; a number that it does not know as that number.
pub(crate) fn kind_text(kind: i32) -> std::borrow::Cow<'static, str> {
    let known = match kind {
        0 => "SPAN_KIND_UNSPECIFIED",
        1 => "SPAN_KIND_INTERNAL",
        2 => "SPAN_KIND_SERVER",
        3 => "SPAN_KIND_CLIENT",
        4 => "SPAN_KIND_PRODUCER",
        5 => "SPAN_KIND_CONSUMER",
        other => return other.to_string().into(),
    };
    known.into()
}

/// The same for a status.
pub(crate) fn status_text(code: i32) -> std::borrow::Cow<'static, str> {
    let known = match code {
        0 => "STATUS_CODE_UNSET",
        1 => "STATUS_CODE_OK",
        2 => "STATUS_CODE_ERROR",
        other => return other.to_string().into(),
    };
    known.into()
}
