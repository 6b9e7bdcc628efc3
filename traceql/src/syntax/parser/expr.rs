//! Field expressions, by precedence.
//!
//! From loose to tight: `&&` and `||` (one level) · comparisons · `+ -` and unary minus · `!` · `* / %` · `^` (to the
//! right). A unary minus takes in everything tighter than itself: `-.a * 2` is `-(.a * 2)`.
//!
//! What waits for its right operand is kept on a stack of our own, so that no text can exhaust the thread's; each token
//! is looked at once. After a fault the expression goes on, so that one query can have several: a [`FieldExprKind::Hole`]
//! stands where an operand is missing.

use super::{
    expected::{Behind, Expected, Fault, Purpose},
    field::{begins_bare_name, field},
    input::{Input, Res, fail},
    literal::{literal, too_deep, too_many_parentheses},
};
use crate::syntax::{
    Diagnostic, Span,
    ast::{
        ArithmeticOp, BinaryOp, CompareOp, FieldExpr, FieldExprKind, Literal, LogicalOp, Relation, StructuralOp,
        UnaryOp,
    },
    token::{Op, TokenKind},
};

/// Levels of precedence.
const LOGICAL: u8 = 1;
const COMPARE: u8 = 2;
const SUM: u8 = 3;
const NOT: u8 = 4;
const PRODUCT: u8 = 5;
const POWER: u8 = 6;

/// An operator that two operands can stand around.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Infix {
    Logical(LogicalOp),
    Binary(BinaryOp),
}

impl Infix {
    fn level(self) -> u8 {
        match self {
            Self::Logical(_) => LOGICAL,
            Self::Binary(BinaryOp::Arithmetic(op)) => match op {
                ArithmeticOp::Add | ArithmeticOp::Subtract => SUM,
                ArithmeticOp::Multiply | ArithmeticOp::Divide | ArithmeticOp::Modulo => PRODUCT,
                ArithmeticOp::Power => POWER,
            },
            Self::Binary(_) => COMPARE,
        }
    }
}

/// A part that is read.
struct Operand {
    expr: FieldExpr,
    /// How deep its tree is.
    depth: usize,
    /// Whether it stands in parentheses.
    bracketed: bool,
}

/// What waits for an operand.
enum Pending {
    /// `(`
    Open(Span),
    /// `-` or `!`
    Unary(UnaryOp, Span),
    /// `nil =` or `nil !=`
    Nil { negated: bool, span: Span },
    /// An operator and what stands on its left.
    Infix { left: Operand, op: Infix, op_span: Span },
}

/// What `field_expr` works on.
struct Machine<'t> {
    input: Input<'t>,
    stack: Vec<Pending>,
    /// How many parentheses are among what waits.
    opened: usize,
    /// The bracket around the whole.
    open: Span,
    close: Op,
}

/// ```text
/// field-expr = "(" , field-expr , ")"
///            | field-expr , binop , field-expr
///            | ( "-" | "!" ) , field-expr
///            | field-expr , ( "=" | "!=" ) , "nil"
///            | "nil" , ( "=" | "!=" ) , ( field-expr | "nil" )
///            | static | attr ;
/// ```
///
/// up to the bracket `close` that belongs to `open` and is left to the caller.
pub(super) fn field_expr<'t>(open: Span, close: Op) -> impl Fn(Input<'t>) -> Res<'t, FieldExpr> {
    move |input| {
        let mut machine = Machine { input, stack: Vec::new(), opened: 0, open, close };
        loop {
            let Some(operand) = machine.operand()? else { continue };
            if let Some(expr) = machine.operators(operand)? {
                return Ok((machine.input, expr));
            }
        }
    }
}

type Step<T> = Result<T, nom::Err<Fault>>;

impl Machine<'_> {
    /// Reads what an operand begins with: the operand, or `None` for something before it.
    fn operand(&mut self) -> Step<Option<Operand>> {
        let input = self.input;
        let limits = input.limits();
        if self.opened > limits.max_parentheses {
            return fail(too_many_parentheses(input));
        }
        if self.stack.len() - self.opened > limits.max_depth {
            return fail(too_deep(input));
        }
        let token = input.peek();
        let pending = match &token.kind {
            TokenKind::Op(Op::OpenParen) => {
                self.opened += 1;
                Pending::Open(token.span)
            }
            TokenKind::Op(Op::Not) => Pending::Unary(UnaryOp::Not, token.span),
            TokenKind::Op(Op::Binary(BinaryOp::Arithmetic(ArithmeticOp::Subtract))) => {
                Pending::Unary(UnaryOp::Negate, token.span)
            }
            TokenKind::Word(word) if word == "nil" && !begins_bare_name(input) => return self.nil_on_the_left(),
            _ => return self.primary().map(Some),
        };
        self.input = input.advance();
        self.stack.push(pending);
        Ok(None)
    }

    /// `static | attr`
    fn primary(&mut self) -> Step<Operand> {
        let input = self.input;
        let token = input.peek();
        let expr = |kind, span| Operand { expr: FieldExpr { kind, span }, depth: 1, bracketed: false };
        if !begins_bare_name(input)
            && let Some(literal) = literal(&token.kind)
        {
            self.input = input.advance();
            return Ok(expr(FieldExprKind::Literal(literal), token.span));
        }
        let fault = match &token.kind {
            TokenKind::Word(_) | TokenKind::Scoped(..) | TokenKind::Attribute(..) => match field(input) {
                Ok((rest, found)) => {
                    self.input = rest;
                    return Ok(expr(FieldExprKind::Field(found.field), found.span));
                }
                Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => {
                    self.input = input.advance();
                    fault
                }
                Err(incomplete) => return Err(incomplete),
            },
            kind => {
                // What closes or joins is left for what comes after.
                if matches!(kind, TokenKind::String(_) | TokenKind::Invalid) {
                    self.input = input.advance();
                }
                if let Some(Pending::Infix { left, .. }) = self.stack.last()
                    && left.expr.kind == FieldExprKind::Hole
                    && !input.at_end()
                {
                    // The operand before the operator is missing, too: that has been said.
                    return Ok(expr(FieldExprKind::Hole, Span { end: token.span.start, ..token.span }));
                }
                let close = self.stack.is_empty().then_some(self.close);
                input.unexpected(Expected::Value { purpose: self.purpose(), close })
            }
        };
        input.report(fault);
        Ok(expr(FieldExprKind::Hole, Span { end: token.span.start, ..token.span }))
    }

    /// What the next operand is for.
    fn purpose(&self) -> Purpose {
        match self.stack.last() {
            Some(
                Pending::Infix { op: Infix::Binary(BinaryOp::Arithmetic(_)), .. } | Pending::Unary(UnaryOp::Negate, _),
            ) => Purpose::Arithmetic,
            Some(Pending::Infix { left, op: Infix::Binary(op), .. }) => {
                let field = match &left.expr.kind {
                    FieldExprKind::Field(field) => Some(field.clone()),
                    _ => None,
                };
                Purpose::Comparison(*op, field)
            }
            Some(Pending::Nil { .. }) => Purpose::Comparison(BinaryOp::Compare(CompareOp::Equal), None),
            _ => Purpose::Condition,
        }
    }

    /// `"nil" , ( "=" | "!=" ) , ( "nil" | field-expr )`
    fn nil_on_the_left(&mut self) -> Step<Option<Operand>> {
        let nil = self.input.peek().span;
        self.input = self.input.advance();
        let token = self.input.peek();
        let TokenKind::Op(Op::Binary(BinaryOp::Compare(op @ (CompareOp::Equal | CompareOp::NotEqual)))) = token.kind
        else {
            self.input.report(misplaced_nil(nil));
            return Ok(Some(Operand {
                expr: FieldExpr { kind: FieldExprKind::Hole, span: nil },
                depth: 1,
                bracketed: false,
            }));
        };
        self.input = self.input.advance();
        if self.input.is_word("nil") && !begins_bare_name(self.input) {
            let span = nil.to(self.input.peek().span);
            self.input = self.input.advance();
            let expr = FieldExpr { kind: FieldExprKind::Literal(Literal::Bool(false)), span };
            return Ok(Some(Operand { expr, depth: 1, bracketed: false }));
        }
        self.stack.push(Pending::Nil { negated: op == CompareOp::Equal, span: nil });
        Ok(None)
    }

    /// Reads what follows an operand: the whole expression if it ends here, `None` if an operand must follow.
    fn operators(&mut self, operand: Operand) -> Step<Option<FieldExpr>> {
        let mut operand = operand;
        loop {
            let input = self.input;
            let token = input.peek();
            let infix = match token.kind {
                TokenKind::Op(Op::Logical(op)) => Some(Infix::Logical(op)),
                TokenKind::Op(Op::Binary(op)) => Some(Infix::Binary(op)),
                _ => None,
            };
            if let Some(op) = infix {
                operand =
                    self.reduce(operand, op.level(), op == Infix::Binary(BinaryOp::Arithmetic(ArithmeticOp::Power)))?;
                self.input = input.advance();
                self.doubled(op, token.span);
                if let Infix::Binary(BinaryOp::Compare(op @ (CompareOp::Equal | CompareOp::NotEqual))) = op
                    && self.input.is_word("nil")
                    && !begins_bare_name(self.input)
                {
                    operand = exists(operand, op == CompareOp::Equal, self.input.peek().span);
                    self.input = self.input.advance();
                    if operand.depth > input.limits().max_depth {
                        return fail(too_deep(input));
                    }
                    continue;
                }
                self.stack.push(Pending::Infix { left: operand, op, op_span: token.span });
                return Ok(None);
            }
            // What an operator would compare or join: arithmetic and comparisons are complete, what `&&` joins is not.
            operand = self.reduce(operand, COMPARE, false)?;
            let behind = behind(&operand.expr.kind);
            // What follows a missing operand follows from that.
            let said = operand.expr.kind == FieldExprKind::Hole;
            operand = self.reduce(operand, 0, false)?;
            match self.stack.pop() {
                Some(Pending::Open(open)) if input.is(Op::CloseParen) => {
                    self.input = input.advance();
                    self.opened -= 1;
                    operand.bracketed = true;
                    operand.expr.span = open.to(token.span);
                }
                None if input.is(self.close) => return Ok(Some(operand.expr)),
                // A `by (…)` is closed by a parenthesis, a filter is not.
                innermost => {
                    let open = match &innermost {
                        Some(Pending::Open(open)) => *open,
                        _ => self.open,
                    };
                    let close = if innermost.is_some() { Op::CloseParen } else { self.close };
                    let fault = self.unclosed(open, Expected::Operator { behind, close });
                    if !said || input.at_end() {
                        input.report(fault);
                    }
                    // An outer bracket closes what is open.
                    if input.at_end() || input.is(Op::CloseBrace) {
                        if innermost.is_none() {
                            return Ok(Some(operand.expr));
                        }
                        self.opened -= 1;
                        operand.bracketed = true;
                        continue;
                    }
                    self.stack.extend(innermost);
                    self.resynchronise();
                }
            }
        }
    }

    /// Passes over what has no place here, up to an operator or bracket.
    fn resynchronise(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.input.peek().kind {
                TokenKind::End | TokenKind::Op(Op::CloseBrace) => return,
                TokenKind::Op(Op::OpenParen) => depth += 1,
                TokenKind::Op(Op::CloseParen) if depth > 0 => depth -= 1,
                TokenKind::Op(Op::CloseParen) => {
                    let belongs = self.close == Op::CloseParen
                        || self.stack.iter().any(|pending| matches!(pending, Pending::Open(_)));
                    if belongs {
                        return;
                    }
                }
                TokenKind::Op(Op::Logical(_) | Op::Binary(_)) if depth == 0 => return,
                _ => {}
            }
            self.input = self.input.advance();
        }
    }

    /// Applies what waits and binds at least as tight as `level`; tighter only, for an operator that groups to the
    /// right.
    fn reduce(&mut self, operand: Operand, level: u8, to_the_right: bool) -> Step<Operand> {
        let mut operand = operand;
        while let Some(pending) = self.stack.pop() {
            let tight = match &pending {
                Pending::Open(_) => 0,
                Pending::Unary(UnaryOp::Negate, _) => SUM,
                Pending::Unary(UnaryOp::Not, _) => NOT,
                Pending::Nil { .. } => COMPARE,
                Pending::Infix { op, .. } => op.level(),
            };
            if tight == 0 || tight < level || (to_the_right && tight == level) {
                self.stack.push(pending);
                break;
            }
            operand = match pending {
                Pending::Open(_) => operand,
                Pending::Unary(op, span) => self.unary(op, span, operand),
                Pending::Nil { negated, span } => exists(operand, negated, span),
                Pending::Infix { left, op: Infix::Logical(op), op_span } => self.logical(left, op, op_span, operand),
                Pending::Infix { left, op: Infix::Binary(op), op_span } => {
                    let span = left.expr.span.to(operand.expr.span);
                    let depth = left.depth.max(operand.depth) + 1;
                    let (left, right) = (Box::new(left.expr), Box::new(operand.expr));
                    let kind = FieldExprKind::Binary { op, op_span, left, right };
                    Operand { expr: FieldExpr { kind, span }, depth, bracketed: false }
                }
            };
            if operand.depth > self.input.limits().max_depth {
                return fail(too_deep(self.input));
            }
        }
        Ok(operand)
    }

    fn unary(&self, op: UnaryOp, sign: Span, operand: Operand) -> Operand {
        if op == UnaryOp::Negate
            && !operand.bracketed
            && let FieldExprKind::Binary { op: BinaryOp::Arithmetic(ArithmeticOp::Power), left, .. } =
                &operand.expr.kind
        {
            let message = "the minus applies to the whole power";
            let help = "write parentheses: `-(a ^ b)`, or `(-a) ^ b`";
            let advice = Diagnostic::new("TQ0502", sign.to(operand.expr.span), message).help(help);
            self.input.report(Fault::Because(Box::new(advice.related(left.span, "not to this alone"))));
        }
        let span = sign.to(operand.expr.span);
        let kind = FieldExprKind::Unary { op, operand: Box::new(operand.expr) };
        Operand { expr: FieldExpr { kind, span }, depth: operand.depth + 1, bracketed: false }
    }

    /// `a && b && c` is one chain, unless parentheses say otherwise.
    fn logical(&self, left: Operand, op: LogicalOp, op_span: Span, right: Operand) -> Operand {
        let span = left.expr.span.to(right.expr.span);
        let (chained, first) = match &left.expr.kind {
            FieldExprKind::Logical { op: of_left, .. } if !left.bracketed => (*of_left == op, Some(*of_left)),
            _ => (false, None),
        };
        if op == LogicalOp::And && first == Some(LogicalOp::Or) {
            self.input.report(Fault::Because(Box::new(mixed(left.expr.span, op_span))));
        }
        let depth = left.depth.max(right.depth + 1);
        match left.expr.kind {
            FieldExprKind::Logical { op, mut operands } if chained => {
                operands.push(right.expr);
                Operand {
                    expr: FieldExpr { kind: FieldExprKind::Logical { op, operands }, span },
                    depth,
                    bracketed: false,
                }
            }
            kind => {
                let operands = vec![FieldExpr { kind, span: left.expr.span }, right.expr];
                let kind = FieldExprKind::Logical { op, operands };
                let depth = depth.max(left.depth + 1);
                Operand { expr: FieldExpr { kind, span }, depth, bracketed: false }
            }
        }
    }

    /// `== ` and `<>`, which other languages have: read as what was meant.
    fn doubled(&mut self, op: Infix, op_span: Span) {
        let next = self.input.peek();
        let TokenKind::Op(Op::Binary(BinaryOp::Compare(second))) = next.kind else { return };
        let Infix::Binary(BinaryOp::Compare(first)) = op else { return };
        let help = match (first, second) {
            (CompareOp::Equal, CompareOp::Equal) => "write `=`",
            (CompareOp::Less, CompareOp::Greater) => "write `!=`",
            (CompareOp::NotEqual, CompareOp::Equal) => "write `!=`",
            _ => return,
        };
        if next.span.start == op_span.end {
            let message = format!("`{}{}` is no operator", first.text(), second.text());
            self.input.report(Fault::new("TQ0202", op_span.to(next.span), message).help(help));
            self.input = self.input.advance();
        }
    }

    /// An operand is complete, and neither an operator nor the closing bracket of `open` follows.
    fn unclosed(&self, open: Span, expected: Expected) -> Fault {
        let help = match &self.input.peek().kind {
            TokenKind::Word(word) if word.eq_ignore_ascii_case("and") => Some("write `&&`"),
            TokenKind::Word(word) if word.eq_ignore_ascii_case("or") => Some("write `||`"),
            TokenKind::Word(word) if word.eq_ignore_ascii_case("in") => {
                Some("compare with each value: `.x = 1 || .x = 2`, or with a regular expression: `.x =~ \"a|b\"`")
            }
            TokenKind::Word(word) if word.eq_ignore_ascii_case("like") => {
                Some("match a regular expression: `.x =~ \"a.*\"`")
            }
            TokenKind::Op(Op::Comma) if self.close == Op::CloseBrace => Some("join conditions with `&&` or `||`"),
            TokenKind::Op(Op::Comma) => Some("there can be one value only: write `| by(a) | by(b)` to group by two"),
            TokenKind::Op(Op::Structural(StructuralOp { relation: Relation::Sibling, .. })) => {
                Some("write `=~` to match")
            }
            TokenKind::Op(Op::Pipe) => Some("write `||` for or; stages follow behind the closing brace"),
            _ => None,
        };
        let fault = self.input.unexpected(expected).related(open, "of this one");
        match help {
            Some(help) => fault.help(help),
            None => fault,
        }
    }
}

fn behind(operand: &FieldExprKind) -> Behind {
    match operand {
        FieldExprKind::Field(field) => Behind::Field(field.clone()),
        FieldExprKind::Literal(Literal::Bool(_))
        | FieldExprKind::Unary { op: UnaryOp::Not, .. }
        | FieldExprKind::Logical { .. }
        | FieldExprKind::Exists { .. }
        | FieldExprKind::Binary { op: BinaryOp::Compare(_) | BinaryOp::Matches | BinaryOp::NotMatches, .. } => {
            Behind::Condition
        }
        FieldExprKind::Literal(Literal::Int(_) | Literal::Float(_) | Literal::Duration(_))
        | FieldExprKind::Unary { op: UnaryOp::Negate, .. }
        | FieldExprKind::Binary { op: BinaryOp::Arithmetic(_), .. } => Behind::Number,
        FieldExprKind::Literal(_) | FieldExprKind::Hole => Behind::Unknown,
    }
}

fn exists(operand: Operand, negated: bool, nil: Span) -> Operand {
    let span = operand.expr.span.to(nil);
    let kind = FieldExprKind::Exists { operand: Box::new(operand.expr), negated };
    Operand { expr: FieldExpr { kind, span }, depth: operand.depth + 1, bracketed: false }
}

fn misplaced_nil(span: Span) -> Fault {
    let help = "write `.x = nil` for spans without an attribute, `.x != nil` for spans with it";
    Fault::new("TQ0203", span, "`nil` can only be compared with `=` and `!=`").help(help)
}

/// `a || b && c`, which is `(a || b) && c` here and the other way round in most languages (SEMANTICS.md X2).
pub(super) fn mixed(or: Span, and: Span) -> Diagnostic {
    Diagnostic::new("TQ0501", and, "`&&` does not bind tighter than `||`: it applies to all on its left")
        .related(or, "to this")
        .help("write parentheses: `(a || b) && c`, or `a || (b && c)`")
}
