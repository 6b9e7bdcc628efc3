//! Expressions over one span, with one event and one link bound.

use std::{cell::RefCell, collections::HashMap};

use opentelemetry_proto::tonic::{common::v1::KeyValue, trace::v1::span};
use regex::Regex;
use traceql::syntax::ast::{
    ArithmeticOp, Attribute, BinaryOp, CompareOp, Field, FieldExpr, FieldExprKind, Intrinsic, Literal, LogicalOp,
    Scope, UnaryOp,
};

use super::{
    fields,
    model::{Placed, Trace},
    value::Value,
};

/// A span with an event and a link of it, where it has any.
#[derive(Clone, Copy)]
pub(super) struct Binding<'a> {
    pub(super) trace: &'a Trace,
    pub(super) span: &'a Placed,
    pub(super) event: Option<&'a span::Event>,
    pub(super) link: Option<&'a span::Link>,
}

/// Whether a filter keeps a span (S1): for some event and some link the expression is true.
pub(super) fn keeps(expr: Option<&FieldExpr>, trace: &Trace, span: &Placed) -> bool {
    let Some(expr) = expr else { return true };
    let events = bindings(&span.span.events);
    let links = bindings(&span.span.links);
    events.iter().any(|event| {
        links.iter().any(|link| {
            let binding = Binding { trace, span, event: *event, link: *link };
            truth(&binding, expr) == Some(true)
        })
    })
}

/// Each element, or one binding to nothing.
fn bindings<T>(list: &[T]) -> Vec<Option<&T>> {
    if list.is_empty() { vec![None] } else { list.iter().map(Some).collect() }
}

/// All values that an expression has on a span: one for every event and link that it speaks of (S1), of an array every
/// element (V6, M5), none where it is missing.
pub(super) fn values(expr: &FieldExpr, trace: &Trace, span: &Placed) -> Vec<Value> {
    let events = if speaks_of(expr, Scope::Event) { bindings(&span.span.events) } else { vec![None] };
    let links = if speaks_of(expr, Scope::Link) { bindings(&span.span.links) } else { vec![None] };
    let mut values = Vec::new();
    for event in &events {
        for link in &links {
            match value(&Binding { trace, span, event: *event, link: *link }, expr) {
                Some(Value::Array(elements)) => values.extend(elements),
                other => values.extend(other),
            }
        }
    }
    values
}

/// Whether an expression names a field of a scope.
fn speaks_of(expr: &FieldExpr, scope: Scope) -> bool {
    let mut fields = Vec::new();
    fields::of_expr(expr, &mut fields);
    fields.iter().any(|field| fields::scope(field) == scope)
}

/// V2: a value as a truth value, `None` where it is missing or no truth value.
fn truth(binding: &Binding<'_>, expr: &FieldExpr) -> Option<bool> {
    match value(binding, expr)? {
        Value::Bool(value) => Some(value),
        // V6: true if some element is.
        Value::Array(elements) if matches!(elements.first(), Some(Value::Bool(_))) => {
            Some(elements.contains(&Value::Bool(true)))
        }
        _ => None,
    }
}

fn value(binding: &Binding<'_>, expr: &FieldExpr) -> Option<Value> {
    match &expr.kind {
        FieldExprKind::Literal(literal) => Some(constant(literal)),
        FieldExprKind::Field(field) => field_value(binding, field),
        FieldExprKind::Exists { operand, negated } => {
            let exists = match &operand.kind {
                // X4: the parent is there or not.
                FieldExprKind::Field(Field::Intrinsic(Intrinsic::Parent)) => binding.span.parent.is_some(),
                _ => value(binding, operand).is_some(),
            };
            // S1: a condition on an event that is not there is false, `= nil` included.
            Some(Value::Bool(if *negated { !exists && is_bound(binding, operand) } else { exists }))
        }
        FieldExprKind::Unary { op: UnaryOp::Not, operand } => Some(Value::Bool(!truth(binding, operand)?)),
        FieldExprKind::Unary { op: UnaryOp::Negate, operand } => match value(binding, operand)? {
            Value::Int(value) => value.checked_neg().map(Value::Int),
            Value::Duration(value) => value.checked_neg().map(Value::Duration),
            Value::Float(value) => Some(Value::Float(-value)),
            _ => None,
        },
        // V2: missing is false in logic.
        FieldExprKind::Logical { op: LogicalOp::And, operands } => {
            Some(Value::Bool(operands.iter().all(|operand| truth(binding, operand) == Some(true))))
        }
        FieldExprKind::Logical { op: LogicalOp::Or, operands } => {
            Some(Value::Bool(operands.iter().any(|operand| truth(binding, operand) == Some(true))))
        }
        FieldExprKind::Binary { op, left, right, .. } => binary(binding, *op, left, right),
        FieldExprKind::Hole => None,
    }
}

/// Whether the events and links that an expression speaks of are there.
fn is_bound(binding: &Binding<'_>, expr: &FieldExpr) -> bool {
    (binding.event.is_some() || !speaks_of(expr, Scope::Event))
        && (binding.link.is_some() || !speaks_of(expr, Scope::Link))
}

fn binary(binding: &Binding<'_>, op: BinaryOp, left: &FieldExpr, right: &FieldExpr) -> Option<Value> {
    use BinaryOp::{Arithmetic, Compare, Matches, NotMatches};
    match op {
        Arithmetic(op) => arithmetic(op, &value(binding, left)?, &value(binding, right)?),
        Matches | NotMatches => {
            let FieldExprKind::Literal(Literal::String(pattern)) = &right.kind else { return None };
            let regex = regex(pattern);
            let holds = |value: &Value| match value {
                Value::String(text) => regex.is_match(text) == (op == Matches),
                _ => false,
            };
            Some(Value::Bool(quantify(value(binding, left).as_ref(), op == NotMatches, holds)))
        }
        Compare(op) => {
            let (left_value, right_value) = (value(binding, left), value(binding, right));
            let (left_value, right_value) = (id_text(right, left_value), id_text(left, right_value));
            let all = op == CompareOp::NotEqual;
            Some(Value::Bool(quantify(left_value.as_ref(), all, |left| {
                quantify(right_value.as_ref(), all, |right| compare(op, left, right))
            })))
        }
    }
}

thread_local! {
    static REGEXES: RefCell<HashMap<String, Regex>> = RefCell::default();
}

/// X3. Kept, since building one takes longer than all the rest.
fn regex(pattern: &str) -> Regex {
    let build = || Regex::new(&traceql::ir::translate_regex(pattern).unwrap()).unwrap();
    REGEXES.with_borrow_mut(|regexes| regexes.entry(pattern.to_owned()).or_insert_with(build).clone())
}

/// V6: some element, or every element; V1: false for missing values.
fn quantify(value: Option<&Value>, all: bool, holds: impl Fn(&Value) -> bool) -> bool {
    match value {
        None => false,
        Some(Value::Array(elements)) if all => elements.iter().all(holds),
        Some(Value::Array(elements)) => elements.iter().any(holds),
        Some(value) => holds(value),
    }
}

pub(super) fn compare(op: CompareOp, left: &Value, right: &Value) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    if !left.comparable(right) {
        return false;
    }
    let order = left.order(right);
    let ordered = left.is_ordered();
    match op {
        CompareOp::Equal => order == Some(Equal),
        CompareOp::NotEqual => order != Some(Equal),
        CompareOp::Less => ordered && order == Some(Less),
        CompareOp::LessOrEqual => ordered && matches!(order, Some(Less | Equal)),
        CompareOp::Greater => ordered && order == Some(Greater),
        _ => ordered && matches!(order, Some(Greater | Equal)),
    }
}

/// V7: a text that is compared with an id is taken at the id's full width.
fn id_text(id: &FieldExpr, value: Option<Value>) -> Option<Value> {
    let FieldExprKind::Field(Field::Intrinsic(intrinsic)) = &id.kind else { return value };
    let width = match intrinsic {
        Intrinsic::TraceId | Intrinsic::LinkTraceId => 32,
        Intrinsic::SpanId | Intrinsic::SpanParentId | Intrinsic::LinkSpanId => 16,
        _ => return value,
    };
    match value? {
        Value::String(text) => {
            let text = text.to_lowercase();
            let digits = text.trim_start_matches('0');
            let hex = digits.len() <= width && digits.chars().all(|c| c.is_ascii_hexdigit());
            Some(Value::String(if hex { format!("{digits:0>width$}") } else { text }))
        }
        other => Some(other),
    }
}

/// V5.
pub(super) fn arithmetic(op: ArithmeticOp, left: &Value, right: &Value) -> Option<Value> {
    if let (Value::Int(a), Value::Int(b)) = (left, right) {
        let (a, b) = (i128::from(*a), i128::from(*b));
        let exact = match op {
            ArithmeticOp::Add => Some(a + b),
            ArithmeticOp::Subtract => Some(a - b),
            ArithmeticOp::Multiply => Some(a * b),
            ArithmeticOp::Divide => (b != 0).then(|| a / b),
            ArithmeticOp::Modulo => (b != 0).then(|| a % b),
            _ => power(a, b),
        };
        return exact.and_then(|value| i64::try_from(value).ok()).map(Value::Int);
    }
    let number = |value: &Value| match value {
        Value::Int(value) | Value::Duration(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    };
    let (a, b) = (number(left)?, number(right)?);
    Some(Value::Float(match op {
        ArithmeticOp::Add => a + b,
        ArithmeticOp::Subtract => a - b,
        ArithmeticOp::Multiply => a * b,
        ArithmeticOp::Divide => a / b,
        ArithmeticOp::Modulo => a % b,
        _ => a.powf(b),
    }))
}

/// Exact, by multiplying; a negative exponent truncates.
fn power(base: i128, exponent: i128) -> Option<i128> {
    if exponent < 0 {
        return match base {
            0 => None,
            1 => Some(1),
            -1 => Some(if exponent % 2 == 0 { 1 } else { -1 }),
            _ => Some(0),
        };
    }
    if matches!(base, -1..=1) {
        return Some(if base == -1 && exponent % 2 != 0 {
            -1
        } else if base == 0 && exponent > 0 {
            0
        } else {
            1
        });
    }
    let mut result = 1_i128;
    for _ in 0..exponent {
        result *= base;
        if result.abs() > i128::from(u64::MAX) {
            return None;
        }
    }
    Some(result)
}

pub(super) fn constant(literal: &Literal) -> Value {
    match literal {
        Literal::String(text) => Value::String(text.clone()),
        Literal::Int(value) => Value::Int(*value),
        Literal::Float(value) => Value::Float(*value),
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Duration(nanos) => Value::Duration(*nanos),
        Literal::Status(status) => Value::Status(status.code()),
        Literal::Kind(kind) => Value::Kind(kind.code()),
    }
}

/// D1: of equal keys in a list the first.
fn lookup(attributes: &[KeyValue], key: &str) -> Option<Value> {
    attributes.iter().find(|attribute| attribute.key == key).map(|attribute| Value::of(attribute.value.as_ref()))
}

/// V1: always a text.
pub(super) fn service(resource: &opentelemetry_proto::tonic::resource::v1::Resource) -> String {
    let found = resource.attributes.iter().find(|attribute| attribute.key == "service.name");
    match found.map(|attribute| attribute.value.as_ref().and_then(|value| value.value.as_ref())) {
        Some(Some(opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue(text))) => text.clone(),
        _ => String::new(),
    }
}

/// The value of a field; for events and links that of the one bound.
pub(super) fn field_value(binding: &Binding<'_>, field: &Field) -> Option<Value> {
    let span = &binding.span.span;
    let attribute = match field {
        Field::Attribute(attribute) => attribute,
        Field::Intrinsic(intrinsic) => return intrinsic_value(binding, *intrinsic),
    };
    let key = attribute.name.as_str();
    let of_resource = || match key {
        "service.name" => Some(Value::String(service(&binding.span.resource))),
        _ => lookup(&binding.span.resource.attributes, key),
    };
    match attribute.scope {
        Scope::Span => lookup(&span.attributes, key),
        Scope::Resource => of_resource(),
        // S2: the first that has the key.
        Scope::Unscoped => lookup(&span.attributes, key).or_else(of_resource),
        Scope::Instrumentation => lookup(&binding.span.scope.attributes, key),
        Scope::Event => lookup(&binding.event?.attributes, key),
        Scope::Link => lookup(&binding.link?.attributes, key),
        Scope::Parent => parent_value(binding, Scope::Unscoped, key),
        Scope::ParentSpan => parent_value(binding, Scope::Span, key),
        Scope::ParentResource => parent_value(binding, Scope::Resource, key),
    }
}

/// X4: an attribute of the parent span; missing where there is none.
fn parent_value(binding: &Binding<'_>, scope: Scope, key: &str) -> Option<Value> {
    let parent = &binding.trace.spans[binding.span.parent?];
    let field = Field::Attribute(Attribute { scope, name: key.to_owned() });
    field_value(&Binding { trace: binding.trace, span: parent, event: None, link: None }, &field)
}

fn intrinsic_value(binding: &Binding<'_>, intrinsic: Intrinsic) -> Option<Value> {
    let (trace, placed, span) = (binding.trace, binding.span, &binding.span.span);
    let text = |text: &str| Some(Value::String(text.to_owned()));
    let hex = |bytes: &[u8]| Some(Value::String(bytes.iter().map(|byte| format!("{byte:02x}")).collect()));
    let duration = |nanos: u64| Some(Value::Duration(i64::try_from(nanos).unwrap_or(i64::MAX)));
    let root = trace.root.map(|root| &trace.spans[root]);
    match intrinsic {
        Intrinsic::Duration => {
            let nanos = span.end_time_unix_nano.wrapping_sub(span.start_time_unix_nano) as i64;
            Some(Value::Duration(nanos.max(0)))
        }
        Intrinsic::Name => text(&span.name),
        Intrinsic::Status => Some(Value::Status(span.status.as_ref().map_or(0, |status| status.code))),
        Intrinsic::StatusMessage => text(span.status.as_ref().map_or("", |status| &status.message)),
        Intrinsic::Kind => Some(Value::Kind(span.kind)),
        Intrinsic::SpanId => hex(&span.span_id),
        Intrinsic::SpanParentId if span.parent_span_id.is_empty() => hex(&[0; 8]),
        Intrinsic::SpanParentId => hex(&span.parent_span_id),
        Intrinsic::ChildCount => Some(Value::Int(placed.children)),
        Intrinsic::TraceDuration => duration(trace.end - trace.start),
        Intrinsic::RootName => text(root.map_or("", |root| &root.span.name)),
        Intrinsic::RootServiceName => Some(Value::String(root.map_or(String::new(), |root| service(&root.resource)))),
        Intrinsic::TraceId => hex(&trace.id),
        Intrinsic::EventName => text(&binding.event?.name),
        Intrinsic::EventTimeSinceStart => {
            Some(Value::Duration(binding.event?.time_unix_nano.wrapping_sub(span.start_time_unix_nano) as i64))
        }
        Intrinsic::LinkTraceId => hex(&binding.link?.trace_id),
        Intrinsic::LinkSpanId => hex(&binding.link?.span_id),
        Intrinsic::InstrumentationName => text(&placed.scope.name),
        Intrinsic::InstrumentationVersion => text(&placed.scope.version),
        Intrinsic::NestedSetLeft => Some(Value::Int(placed.left)),
        Intrinsic::NestedSetRight => Some(Value::Int(placed.right)),
        Intrinsic::NestedSetParent => Some(Value::Int(placed.parent_left)),
        // X4: only `= nil` and `!= nil` say something of it.
        Intrinsic::Parent => None,
    }
}
