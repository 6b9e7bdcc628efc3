//! From what the parser would read next to what is offered: words and operators of the language that go on from what is
//! typed and fit the types around them.

use super::{CompletionItem, cursor::Partial};
use crate::syntax::{
    ast::{AggregateFunction, ArithmeticOp, BinaryOp, CompareOp, Field, Intrinsic, LogicalOp, Scope, StructuralOp},
    parser::{Behind, Expected, KNOWN_HINTS, Operand, Purpose},
    token::{INTRINSIC_SCOPES, METRICS_FUNCTIONS, Op, SCOPES},
};

/// What is known of a value's type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Any,
    Condition,
    Number,
    Text,
    Status,
    Kind,
    Parent,
}

impl Type {
    fn of(field: &Field) -> Self {
        match field {
            Field::Attribute(attribute) if attribute.scope == Scope::Resource && attribute.name == "service.name" => {
                Self::Text
            }
            Field::Attribute(_) => Self::Any,
            Field::Intrinsic(intrinsic) => match intrinsic {
                Intrinsic::Duration
                | Intrinsic::TraceDuration
                | Intrinsic::EventTimeSinceStart
                | Intrinsic::ChildCount
                | Intrinsic::NestedSetLeft
                | Intrinsic::NestedSetRight
                | Intrinsic::NestedSetParent => Self::Number,
                Intrinsic::Status => Self::Status,
                Intrinsic::Kind => Self::Kind,
                Intrinsic::Parent => Self::Parent,
                _ => Self::Text,
            },
        }
    }

    fn behind(behind: &Behind) -> Self {
        match behind {
            Behind::Field(field) => Self::of(field),
            Behind::Condition => Self::Condition,
            Behind::Number => Self::Number,
            Behind::Unknown => Self::Any,
        }
    }
}

const STATUSES: [&str; 3] = ["error", "ok", "unset"];
const KINDS: [&str; 6] = ["client", "server", "internal", "producer", "consumer", "unspecified"];
const EQUALITIES: [BinaryOp; 2] = [BinaryOp::Compare(CompareOp::Equal), BinaryOp::Compare(CompareOp::NotEqual)];
const MATCHES: [BinaryOp; 2] = [BinaryOp::Matches, BinaryOp::NotMatches];
const ORDERINGS: [BinaryOp; 4] = [
    BinaryOp::Compare(CompareOp::Less),
    BinaryOp::Compare(CompareOp::LessOrEqual),
    BinaryOp::Compare(CompareOp::Greater),
    BinaryOp::Compare(CompareOp::GreaterOrEqual),
];
/// Those that constants and series know come first.
const ARITHMETIC: [BinaryOp; 6] = [
    BinaryOp::Arithmetic(ArithmeticOp::Add),
    BinaryOp::Arithmetic(ArithmeticOp::Subtract),
    BinaryOp::Arithmetic(ArithmeticOp::Multiply),
    BinaryOp::Arithmetic(ArithmeticOp::Divide),
    BinaryOp::Arithmetic(ArithmeticOp::Modulo),
    BinaryOp::Arithmetic(ArithmeticOp::Power),
];
/// Hints that can be switched on and off.
const SWITCHES: [&str; 8] =
    ["most_recent", "sample", "exemplars", "extrapolate", "exact", "spanonly_fetch", "debug", "info"];

/// The items for what might come, as far as they go on from what is typed.
pub(super) fn items(expected: Expected, partial: &Partial) -> Vec<CompletionItem> {
    let mut items = Items { partial, list: Vec::new() };
    let aggregates = AggregateFunction::ALL.map(AggregateFunction::name);
    match expected {
        Expected::Query => {
            items.operators(["{", "("]);
            items.keywords(aggregates);
            items.keywords(["by", "select"]);
        }
        Expected::Operand(operand) => {
            match operand {
                Operand::Spansets => items.operators(["{"]),
                Operand::Scalar => items.keywords(aggregates),
                Operand::Parenthesised => {}
            }
            items.operators(["("]);
        }
        Expected::Stage => {
            items.keywords(METRICS_FUNCTIONS);
            items.keywords(aggregates);
            items.keywords(["by", "select", "coalesce"]);
            items.operators(["{"]);
        }
        Expected::AfterStage { joins, pipe, close } => {
            items.operators(pipe.then_some("|"));
            if joins {
                items.operators([LogicalOp::And, LogicalOp::Or].map(LogicalOp::text));
                items.operators(StructuralOp::ALL.map(StructuralOp::text));
            }
            items.end(close);
        }
        Expected::AfterMetrics { by, arithmetic, close } => {
            items.keywords(by.then_some("by"));
            // In parentheses, second stages stand behind the function itself only.
            if !(arithmetic && close) {
                items.operators(["|"]);
                items.operators(EQUALITIES.into_iter().chain(ORDERINGS).map(BinaryOp::text));
            }
            if arithmetic {
                items.operators(ARITHMETIC.into_iter().take(4).map(BinaryOp::text));
            }
            items.end(close);
        }
        Expected::SecondStage => items.keywords(["topk", "bottomk"]),
        Expected::AfterAggregate { close } => {
            items.operators(EQUALITIES.into_iter().chain(ORDERINGS).chain(ARITHMETIC).map(BinaryOp::text));
            items.operators(close.then_some(")"));
        }
        Expected::Value { purpose, close } => {
            match purpose {
                Purpose::Condition => {
                    items.fields(false);
                    items.keywords(["true", "false"]);
                }
                Purpose::Arithmetic => items.fields(true),
                Purpose::Comparison(op, Some(field)) => items.values(op, field),
                Purpose::Comparison(BinaryOp::Compare(_), None) => items.fields(false),
                Purpose::Comparison(..) => {}
            }
            items.operators((close == Some(Op::CloseBrace)).then_some("}"));
        }
        Expected::Operator { behind, close } => items.binary(Type::behind(&behind), close),
        Expected::Field { numeric } => items.fields(numeric),
        Expected::HintName => items.keywords(KNOWN_HINTS),
        Expected::HintValue(name) if SWITCHES.contains(&name.as_str()) => items.keywords(["true", "false"]),
        Expected::Comma => items.operators([",", ")"]),
        Expected::Op(op) => items.operators([op.text()]),
        Expected::Word(word) => items.keywords([word]),
        Expected::HintValue(_) | Expected::Number | Expected::Integer | Expected::End => {}
    }
    items.list
}

/// Collects items that go on from what is typed.
struct Items<'p> {
    partial: &'p Partial,
    list: Vec<CompletionItem>,
}

impl Items<'_> {
    /// Whether a word goes on from what is typed.
    fn fits(&self, word: &str) -> bool {
        let typed = &self.partial.typed;
        word.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed))
    }

    fn keywords<'w>(&mut self, words: impl IntoIterator<Item = &'w str>) {
        for word in words {
            // A scope that is typed is no completion of itself.
            if self.fits(word) && !(word.ends_with(['.', ':']) && self.partial.typed.len() == word.len()) {
                self.list.push(CompletionItem::Keyword(word.to_owned()));
            }
        }
    }

    fn operators(&mut self, operators: impl IntoIterator<Item = &'static str>) {
        for operator in operators {
            if self.fits(operator) {
                self.list.push(CompletionItem::Operator(operator));
            }
        }
    }

    /// The parenthesis that closes, or what may follow a whole query.
    fn end(&mut self, close: bool) {
        if close { self.operators([")"]) } else { self.keywords(["with"]) }
    }

    /// Attributes and intrinsics: those with numbers, or all.
    fn fields(&mut self, numeric: bool) {
        if let Some((scope, prefix)) = self.partial.name.clone() {
            self.list.push(CompletionItem::Attribute { scope, prefix });
        }
        let typed = &self.partial.typed;
        let (dotted, with_colon) = (typed.contains('.'), typed.contains(':'));
        let fits = |intrinsic: &Intrinsic| !numeric || Type::of(&Field::Intrinsic(*intrinsic)) == Type::Number;
        for intrinsic in Intrinsic::ALL.into_iter().filter(fits) {
            self.keywords(intrinsic.bare());
            // What has two names is offered by the longer one only where that is typed.
            let scoped = intrinsic.scoped().filter(|_| with_colon || intrinsic.bare().is_none());
            self.keywords(scoped.map(|(scope, name)| format!("{scope}:{name}")).as_deref());
        }
        for (scope, _) in SCOPES {
            self.keywords([format!("{scope}.").as_str()]);
        }
        self.keywords(["parent.span.", "parent.resource."].into_iter().filter(|_| dotted));
        for scope in INTRINSIC_SCOPES {
            self.keywords([format!("{scope}:").as_str()]);
        }
    }

    /// What a field can be compared with.
    fn values(&mut self, op: BinaryOp, field: Field) {
        let Some((prefix, quoted)) = self.partial.value.clone() else { return self.fields(false) };
        let equality = EQUALITIES.contains(&op);
        match Type::of(&field) {
            Type::Status if equality => self.keywords(STATUSES),
            Type::Kind if equality => self.keywords(KINDS),
            Type::Parent if equality => self.keywords(["nil"]),
            Type::Number if !quoted && !MATCHES.contains(&op) => {
                self.list.push(CompletionItem::Value { field, prefix, quoted });
            }
            found @ (Type::Text | Type::Any) => {
                self.list.push(CompletionItem::Value { field, prefix, quoted });
                if found == Type::Any && equality {
                    self.keywords(["true", "false", "nil"]);
                }
            }
            _ => {}
        }
    }

    /// Operators in a filter, or what closes it.
    fn binary(&mut self, left: Type, close: Op) {
        if left != Type::Condition {
            self.operators(EQUALITIES.map(BinaryOp::text));
        }
        if matches!(left, Type::Any | Type::Text) {
            self.operators(MATCHES.map(BinaryOp::text));
        }
        if matches!(left, Type::Any | Type::Text | Type::Number) {
            self.operators(ORDERINGS.map(BinaryOp::text));
        }
        let condition = matches!(left, Type::Any | Type::Condition);
        if condition {
            self.operators([LogicalOp::And, LogicalOp::Or].map(LogicalOp::text));
        }
        // A filter closes behind a condition, a parenthesis behind anything.
        if condition || close == Op::CloseParen {
            self.operators([close.text()]);
        }
        if matches!(left, Type::Any | Type::Number) {
            self.operators(ARITHMETIC.map(BinaryOp::text));
        }
    }
}
