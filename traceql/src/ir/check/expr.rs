//! Types of field expressions.

use crate::{
    ir::regex::translate,
    syntax::{
        Diagnostic, Span,
        ast::{
            ArithmeticOp, BinaryOp, CompareOp, Field, FieldExpr, FieldExprKind, Intrinsic, Literal, LogicalOp, Scope,
            UnaryOp,
        },
    },
};

/// What is known of a value without looking at a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    String,
    Int,
    Float,
    Bool,
    Duration,
    Status,
    Kind,
    /// The parent itself: there or not.
    Nil,
    /// Known only at run time; or nothing, after a fault.
    Attribute,
}

/// An operator, as types see it.
#[derive(Clone, Copy)]
enum Op {
    Logical,
    Binary(BinaryOp),
}

impl Type {
    pub(super) fn is_numeric(self) -> bool {
        matches!(self, Self::Int | Self::Float | Self::Duration)
    }

    fn fits(self, other: Self) -> bool {
        let open = |found| matches!(found, Self::Attribute | Self::Nil);
        self == other || open(self) || open(other) || self.is_numeric() && other.is_numeric()
    }

    fn allows(self, op: Op) -> bool {
        let equality = matches!(op, Op::Binary(BinaryOp::Compare(CompareOp::Equal | CompareOp::NotEqual)));
        match (self, op) {
            (Self::Attribute, _) => true,
            (Self::Bool, Op::Logical) => true,
            (Self::Int | Self::Float | Self::Duration, Op::Binary(op)) => {
                matches!(op, BinaryOp::Compare(_) | BinaryOp::Arithmetic(_))
            }
            (Self::String, Op::Binary(op)) => !matches!(op, BinaryOp::Arithmetic(_)),
            (Self::Bool | Self::Status | Self::Kind | Self::Nil, _) => equality,
            (_, Op::Logical) => false,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::String => "text",
            Self::Int => "an integer",
            Self::Float => "a float",
            Self::Bool => "true or false",
            Self::Duration => "a duration",
            Self::Status => "a status",
            Self::Kind => "a kind",
            Self::Nil => "the parent",
            Self::Attribute => "an attribute",
        }
    }
}

/// Collects what is wrong.
pub(super) struct Checker {
    pub(super) faults: Vec<Diagnostic>,
    max_regex: usize,
}

impl Checker {
    pub(super) fn new(max_regex: usize) -> Self {
        Self { faults: Vec::new(), max_regex }
    }

    pub(super) fn report(&mut self, fault: Diagnostic) {
        self.faults.push(fault);
    }

    /// The type; [`Type::Attribute`] where something is wrong, so that nothing more is said of it.
    pub(super) fn type_of(&mut self, expr: &FieldExpr) -> Type {
        match &expr.kind {
            FieldExprKind::Literal(literal) => literal_type(literal),
            FieldExprKind::Field(Field::Attribute(_)) | FieldExprKind::Hole => Type::Attribute,
            FieldExprKind::Field(Field::Intrinsic(intrinsic)) => intrinsic_type(*intrinsic),
            FieldExprKind::Unary { op, operand } => self.unary(*op, operand, expr.span),
            FieldExprKind::Exists { operand, negated } => self.exists(operand, *negated, expr.span),
            FieldExprKind::Logical { op, operands } => self.logical(*op, operands),
            FieldExprKind::Binary { op, op_span, left, right } => {
                let types = (self.type_of(left), self.type_of(right));
                self.binary(*op, *op_span, (left, types.0), (right, types.1))
            }
        }
    }

    fn unary(&mut self, op: UnaryOp, operand: &FieldExpr, span: Span) -> Type {
        let found = self.type_of(operand);
        let (fits, sign, wants) = match op {
            UnaryOp::Negate => (found.is_numeric() || found == Type::Attribute, "-", "a number"),
            UnaryOp::Not => (matches!(found, Type::Bool | Type::Attribute), "!", "a condition"),
        };
        if fits {
            return found;
        }
        let message = format!("`{sign}` needs {wants}, and this is {}", found.name());
        self.report(Diagnostic::new("TQ0303", span, message).related(operand.span, found.name()));
        Type::Attribute
    }

    /// What is never missing cannot be asked to be.
    fn exists(&mut self, operand: &FieldExpr, negated: bool, span: Span) -> Type {
        let found = self.type_of(operand);
        let always = match &operand.kind {
            FieldExprKind::Field(Field::Intrinsic(intrinsic)) => *intrinsic != Intrinsic::Parent,
            FieldExprKind::Field(Field::Attribute(attribute)) => {
                attribute.scope == Scope::Resource && attribute.name == "service.name"
            }
            _ => false,
        };
        if negated && always {
            let text = operand.to_string();
            let whose = match text.split_once(':') {
                Some((whose @ ("event" | "link"), _)) => whose,
                _ => "span",
            };
            let fault =
                Diagnostic::new("TQ0304", span, format!("every {whose} has a value for `{text}`: it is never nil"));
            let textual = matches!(found, Type::String | Type::Attribute) && whose == "span";
            self.report(if textual { fault.help("compare with the empty text: `= \"\"`") } else { fault });
        }
        Type::Bool
    }

    fn logical(&mut self, op: LogicalOp, operands: &[FieldExpr]) -> Type {
        for operand in operands {
            let found = self.type_of(operand);
            if !found.allows(Op::Logical) {
                let message = format!("`{}` is not defined for {}", op.text(), found.name());
                let fault = Diagnostic::new("TQ0303", operand.span, message);
                self.report(match found {
                    Type::String | Type::Int | Type::Float | Type::Duration | Type::Status | Type::Kind => {
                        fault.help("compare it with something: `… = …`")
                    }
                    _ => fault,
                });
            }
        }
        Type::Bool
    }

    fn binary(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        (left, left_type): (&FieldExpr, Type),
        (right, right_type): (&FieldExpr, Type),
    ) -> Type {
        let result = match op {
            BinaryOp::Arithmetic(_) if left_type == Type::Attribute => right_type,
            BinaryOp::Arithmetic(_) => left_type,
            _ => Type::Bool,
        };
        let after_fault = if matches!(op, BinaryOp::Arithmetic(_)) { Type::Attribute } else { Type::Bool };
        if !left_type.fits(right_type) {
            let message = format!("`{op}` cannot be between {} and {}", left_type.name(), right_type.name());
            let fault = Diagnostic::new("TQ0302", left.span.to(right.span), message);
            self.report(match mismatch_help(op, left, left_type, right) {
                Some(help) => fault.help(help),
                None => fault,
            });
            return after_fault;
        }
        for (operand, found) in [(left, left_type), (right, right_type)] {
            if !found.allows(Op::Binary(op)) {
                let message = format!("`{op}` is not defined for {}", found.name());
                let fault = Diagnostic::new("TQ0303", op_span, message).related(operand.span, found.name());
                self.report(match (op, found) {
                    (BinaryOp::Arithmetic(ArithmeticOp::Add), Type::String) => fault.help("texts cannot be joined"),
                    _ => fault,
                });
                return after_fault;
            }
        }
        if matches!(op, BinaryOp::Matches | BinaryOp::NotMatches) {
            self.pattern(op, right);
        }
        result
    }

    /// The right side of `=~` and `!~`.
    fn pattern(&mut self, op: BinaryOp, right: &FieldExpr) {
        let FieldExprKind::Literal(Literal::String(pattern)) = &right.kind else {
            if right.kind != FieldExprKind::Hole {
                let message = format!("`{op}` needs a text with a regular expression on its right");
                self.report(Diagnostic::new("TQ0305", right.span, message));
            }
            return;
        };
        if pattern.len() > self.max_regex {
            let message = format!("this pattern is {} bytes long; the limit is {}", pattern.len(), self.max_regex);
            self.report(Diagnostic::new("TQ0402", right.span, message));
        } else if let Err(error) = translate(pattern) {
            let message = format!("this is no regular expression: {}", error.message);
            let help = format!("in `{pattern}` at character {}; the syntax is RE2's", error.offset + 1);
            self.report(Diagnostic::new("TQ0401", right.span, message).help(help));
        }
    }
}

fn literal_type(literal: &Literal) -> Type {
    match literal {
        Literal::String(_) => Type::String,
        Literal::Int(_) => Type::Int,
        Literal::Float(_) => Type::Float,
        Literal::Bool(_) => Type::Bool,
        Literal::Duration(_) => Type::Duration,
        Literal::Status(_) => Type::Status,
        Literal::Kind(_) => Type::Kind,
    }
}

fn intrinsic_type(intrinsic: Intrinsic) -> Type {
    match intrinsic {
        Intrinsic::Duration | Intrinsic::TraceDuration | Intrinsic::EventTimeSinceStart => Type::Duration,
        Intrinsic::Status => Type::Status,
        Intrinsic::Kind => Type::Kind,
        Intrinsic::ChildCount | Intrinsic::NestedSetLeft | Intrinsic::NestedSetRight | Intrinsic::NestedSetParent => {
            Type::Int
        }
        // Tempo gives these two no type.
        Intrinsic::InstrumentationName | Intrinsic::InstrumentationVersion => Type::Attribute,
        Intrinsic::Parent => Type::Nil,
        _ => Type::String,
    }
}

/// What a text beside a typed intrinsic should have been.
fn mismatch_help(op: BinaryOp, left: &FieldExpr, left_type: Type, right: &FieldExpr) -> Option<String> {
    let FieldExprKind::Literal(Literal::String(text)) = &right.kind else { return None };
    let typed = matches!(left_type, Type::Status | Type::Kind | Type::Duration | Type::Int);
    let compares = matches!((op, &left.kind), (BinaryOp::Compare(_), FieldExprKind::Field(_)));
    (typed && compares).then(|| format!("leave out the quotes: `{text}`"))
}

/// Whether a field is named in it.
pub(super) fn names_a_span(expr: &FieldExpr) -> bool {
    match &expr.kind {
        FieldExprKind::Literal(_) => false,
        FieldExprKind::Field(_) | FieldExprKind::Hole => true,
        FieldExprKind::Unary { operand, .. } | FieldExprKind::Exists { operand, .. } => names_a_span(operand),
        FieldExprKind::Logical { operands, .. } => operands.iter().any(names_a_span),
        FieldExprKind::Binary { left, right, .. } => names_a_span(left) || names_a_span(right),
    }
}
