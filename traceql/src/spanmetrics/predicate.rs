//! A TraceQL filter over one span that is looked at alone: as it is received, without its trace.

use std::{borrow::Cow, cmp::Ordering, collections::BTreeMap};

use regex::Regex;
use tracestore::{
    model::Value as Stored,
    spanmetrics::{AttributeValue, SpanFacts, SpanPredicate},
};

use crate::{
    Compiler,
    ir::{
        self, Body, Const, Expr, Spansets, Stage,
        arithmetic::{compare_mixed, floats, integers},
    },
    syntax::ast::{ArithmeticOp, Attribute, CompareOp, Field, Intrinsic, Query, Scope},
};

/// A filter such as `{ kind = server && resource.service.name != "probe" }`.
#[derive(Debug, Clone)]
pub struct SpanFilter {
    text: String,
    condition: Expr,
    patterns: BTreeMap<String, Regex>,
}

impl SpanFilter {
    /// A filter of a query's text.
    ///
    /// # Errors
    /// What is wrong with the query, or why one span alone cannot say whether it meets it: a message.
    pub fn new(text: &str) -> Result<Self, String> {
        let query = Compiler::new().parse(text).map_err(|faults| faults.to_string())?;
        Self::of_query(text, &query)
    }

    /// The same of a query that was parsed.
    pub(super) fn of_query(text: &str, query: &Query) -> Result<Self, String> {
        let Body::Search(pipeline) = ir::lower(query).simplified().body else {
            return Err("this query gives series: a policy is a filter, as in `{ kind = server }`".to_owned());
        };
        let [Stage::Spansets(Spansets::Filter(condition))] = pipeline.stages.as_slice() else {
            return Err("a policy is one filter, as in `{ kind = server }`: it sees each span alone".to_owned());
        };
        let mut unknown = None;
        condition.for_each_field(&mut |field| {
            if !is_known(field) {
                unknown.get_or_insert(field.clone());
            }
        });
        if let Some(field) = unknown {
            return Err(format!(
                "a policy sees each span alone, without ids, events, links and trace: it has no `{field}`"
            ));
        }
        let mut patterns = BTreeMap::new();
        add_patterns(condition, &mut patterns)?;
        Ok(Self { text: text.to_owned(), condition: condition.clone(), patterns })
    }

    /// The query.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl SpanPredicate for SpanFilter {
    fn matches(&self, span: &SpanFacts<'_>) -> bool {
        self.truth(&self.condition, span) == Some(true)
    }
}

fn is_known(field: &Field) -> bool {
    match field {
        Field::Attribute(attribute) => {
            matches!(attribute.scope, Scope::Unscoped | Scope::Span | Scope::Resource)
        }
        Field::Intrinsic(intrinsic) => matches!(
            intrinsic,
            Intrinsic::Duration | Intrinsic::Name | Intrinsic::Status | Intrinsic::StatusMessage | Intrinsic::Kind
        ),
    }
}

fn add_patterns(expr: &Expr, patterns: &mut BTreeMap<String, Regex>) -> Result<(), String> {
    match expr {
        Expr::Const(_) | Expr::Field(_) | Expr::Missing => Ok(()),
        Expr::Compare { left, right, .. } | Expr::Arithmetic { left, right, .. } => {
            add_patterns(left, patterns)?;
            add_patterns(right, patterns)
        }
        Expr::Match { operand, pattern, .. } => {
            patterns.insert(pattern.clone(), Regex::new(pattern).map_err(|error| error.to_string())?);
            add_patterns(operand, patterns)
        }
        Expr::Exists { operand, .. } | Expr::Not(operand) | Expr::Negate(operand) => add_patterns(operand, patterns),
        Expr::And(list) | Expr::Or(list) => list.iter().try_for_each(|part| add_patterns(part, patterns)),
    }
}

/// A value of an expression (SEMANTICS.md, Values); missing ones are `None`.
#[derive(Debug, Clone, PartialEq)]
enum Value<'a> {
    Bool(bool),
    Int(i64),
    Float(f64),
    Duration(i64),
    String(Cow<'a, str>),
    Status(i32),
    Kind(i32),
    /// At least two, of one type.
    Array(Vec<Value<'a>>),
    /// There, and not comparable.
    Other,
}

impl SpanFilter {
    fn truth<'a>(&'a self, expr: &'a Expr, span: &SpanFacts<'a>) -> Option<bool> {
        match self.value(expr, span)? {
            Value::Bool(value) => Some(value),
            Value::Array(elements) if matches!(elements.first(), Some(Value::Bool(_))) => {
                Some(elements.contains(&Value::Bool(true)))
            }
            _ => None,
        }
    }

    fn value<'a>(&'a self, expr: &'a Expr, span: &SpanFacts<'a>) -> Option<Value<'a>> {
        let holds = |part: &'a Expr| self.truth(part, span) == Some(true);
        Some(match expr {
            Expr::Const(value) => constant(value),
            Expr::Field(field) => return field_value(field, span),
            Expr::Missing => return None,
            Expr::Compare { op, left, right } => {
                let (left, right) = (self.value(left, span), self.value(right, span));
                let all = *op == CompareOp::NotEqual;
                Value::Bool(quantify(left.as_ref(), all, |left| {
                    quantify(right.as_ref(), all, |right| compare(*op, left, right))
                }))
            }
            Expr::Match { operand, pattern, negated } => {
                let pattern = self.patterns.get(pattern)?;
                let operand = self.value(operand, span);
                Value::Bool(quantify(operand.as_ref(), *negated, |value| match value {
                    Value::String(text) => pattern.is_match(text) != *negated,
                    _ => false,
                }))
            }
            Expr::Exists { operand, negated } => Value::Bool(self.value(operand, span).is_some() != *negated),
            Expr::And(list) => Value::Bool(list.iter().all(holds)),
            Expr::Or(list) => Value::Bool(list.iter().any(holds)),
            Expr::Not(operand) => Value::Bool(!self.truth(operand, span)?),
            Expr::Negate(operand) => match self.value(operand, span)? {
                Value::Int(value) => Value::Int(value.checked_neg()?),
                Value::Duration(value) => Value::Duration(value.checked_neg()?),
                Value::Float(value) => Value::Float(-value),
                _ => return None,
            },
            Expr::Arithmetic { op, left, right } => {
                return arithmetic(*op, &self.value(left, span)?, &self.value(right, span)?);
            }
        })
    }
}

fn constant(value: &Const) -> Value<'_> {
    match value {
        Const::Bool(value) => Value::Bool(*value),
        Const::Int(value) => Value::Int(*value),
        Const::Float(value) => Value::Float(*value),
        Const::Duration(nanos) => Value::Duration(*nanos),
        Const::String(text) => Value::String(Cow::Borrowed(text)),
        Const::Status(code) => Value::Status(*code),
        Const::Kind(code) => Value::Kind(*code),
    }
}

fn field_value<'a>(field: &Field, span: &SpanFacts<'a>) -> Option<Value<'a>> {
    let Attribute { scope, name } = match field {
        Field::Attribute(attribute) => attribute,
        Field::Intrinsic(intrinsic) => return intrinsic_value(*intrinsic, span),
    };
    let of_span = || span.attributes.find(name).map(attribute_value);
    let of_resource = || match name.as_str() {
        "service.name" => Some(Value::String(Cow::Borrowed(span.resource.service))),
        _ => span.resource.attributes.find(name).map(attribute_value),
    };
    match scope {
        Scope::Span => of_span(),
        Scope::Resource => of_resource(),
        Scope::Unscoped => of_span().or_else(of_resource),
        _ => None,
    }
}

fn intrinsic_value<'a>(intrinsic: Intrinsic, span: &SpanFacts<'a>) -> Option<Value<'a>> {
    Some(match intrinsic {
        Intrinsic::Duration => Value::Duration(span.end.wrapping_sub(span.start).cast_signed().max(0)),
        Intrinsic::Name => Value::String(Cow::Borrowed(span.name)),
        Intrinsic::Status => Value::Status(span.status_code),
        Intrinsic::StatusMessage => Value::String(Cow::Borrowed(span.status_message)),
        Intrinsic::Kind => Value::Kind(span.kind),
        _ => return None,
    })
}

fn attribute_value(value: AttributeValue<'_>) -> Value<'_> {
    match value {
        AttributeValue::String(text) => Value::String(Cow::Borrowed(text)),
        AttributeValue::Bool(value) => Value::Bool(value),
        AttributeValue::Int(value) => Value::Int(value),
        AttributeValue::Double(value) => Value::Float(value),
        AttributeValue::Other(value) => match value.as_ref() {
            Stored::Array(elements) => array(elements),
            _ => Value::Other,
        },
    }
}

/// Scalars of one type are an array, one of them is itself (V6).
fn array<'a>(elements: &[Stored]) -> Value<'a> {
    let scalar = |value: &Stored| {
        Some(match value {
            Stored::String(text) => Value::String(Cow::Owned(text.clone())),
            Stored::Bool(value) => Value::Bool(*value),
            Stored::Int(value) => Value::Int(*value),
            Stored::Double(value) => Value::Float(*value),
            _ => return None,
        })
    };
    let same = elements.windows(2).all(|pair| match pair {
        [first, second] => std::mem::discriminant(first) == std::mem::discriminant(second),
        _ => true,
    });
    let Some(mut values) = elements.iter().map(scalar).collect::<Option<Vec<_>>>().filter(|_| same) else {
        return Value::Other;
    };
    match values.len() {
        0 => Value::Other,
        1 => values.remove(0),
        _ => Value::Array(values),
    }
}

/// Some element, or every element (V6); false for what is missing (V1).
fn quantify<'a>(value: Option<&Value<'a>>, all: bool, holds: impl Fn(&Value<'a>) -> bool) -> bool {
    match value {
        None => false,
        Some(Value::Array(elements)) if all => elements.iter().all(holds),
        Some(Value::Array(elements)) => elements.iter().any(holds),
        Some(value) => holds(value),
    }
}

fn compare(op: CompareOp, left: &Value<'_>, right: &Value<'_>) -> bool {
    use Ordering::{Equal, Greater, Less};
    let Some(order) = order(left, right) else { return false };
    let ordered = !matches!(left, Value::Bool(_) | Value::Status(_) | Value::Kind(_));
    match op {
        CompareOp::Equal => order == Some(Equal),
        CompareOp::NotEqual => order != Some(Equal),
        CompareOp::Less => ordered && order == Some(Less),
        CompareOp::LessOrEqual => ordered && matches!(order, Some(Less | Equal)),
        CompareOp::Greater => ordered && order == Some(Greater),
        CompareOp::GreaterOrEqual => ordered && matches!(order, Some(Greater | Equal)),
    }
}

/// `None` of values that cannot be compared; `None` within of those that have no order, as NaN has none.
fn order(left: &Value<'_>, right: &Value<'_>) -> Option<Option<Ordering>> {
    use Value::{Bool, Duration, Float, Int, Kind, Status, String};
    Some(match (left, right) {
        (String(a), String(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        (Bool(a), Bool(b)) => Some(a.cmp(b)),
        (Status(a), Status(b)) | (Kind(a), Kind(b)) => Some(a.cmp(b)),
        (Int(a) | Duration(a), Int(b) | Duration(b)) => Some(a.cmp(b)),
        (Float(a), Float(b)) => a.partial_cmp(b),
        (Int(a) | Duration(a), Float(b)) => compare_mixed(*a, *b),
        (Float(a), Int(b) | Duration(b)) => compare_mixed(*b, *a).map(Ordering::reverse),
        _ => return None,
    })
}

fn arithmetic<'a>(op: ArithmeticOp, left: &Value<'a>, right: &Value<'a>) -> Option<Value<'a>> {
    if let (Value::Int(left), Value::Int(right)) = (left, right) {
        return integers(op, *left, *right).map(Value::Int);
    }
    let number = |value: &Value<'_>| match value {
        Value::Int(value) | Value::Duration(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    };
    Some(Value::Float(floats(op, number(left)?, number(right)?)))
}
