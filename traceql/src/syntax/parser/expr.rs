//! Field expressions, by precedence.
//!
//! From loose to tight: `&&` and `||` (one level) · comparisons · `+ -` and unary minus · `!` · `* / %` · `^` (to the
//! right). A unary minus takes in everything tighter than itself: `-.a * 2` is `-(.a * 2)`.

use super::{Parser, Result};
use crate::syntax::{
    Diagnostic, Span,
    ast::{BinaryOp, FieldExpr, FieldExprKind, Kind, Literal, Status, UnaryOp},
    token::{Op, TokenKind},
};

/// Levels of precedence.
const COMPARE: u8 = 2;
const SUM: u8 = 3;
const NOT: u8 = 4;
const PRODUCT: u8 = 5;
const POWER: u8 = 6;

fn level(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::And | BinaryOp::Or => 1,
        BinaryOp::Add | BinaryOp::Subtract => SUM,
        BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo => PRODUCT,
        BinaryOp::Power => POWER,
        _ => COMPARE,
    }
}

impl Parser {
    /// `field-expr = field-expr , binop , field-expr | unary | primary ;` with operators of at least `min` precedence.
    pub(super) fn field_expr(&mut self, min: u8) -> Result<FieldExpr> {
        let mut left = self.nested(Self::operand)?;
        let mut chain = 0;
        while let TokenKind::Op(Op::Binary(op)) = self.peek().kind {
            let level = level(op);
            if level < min {
                break;
            }
            self.count_operator()?;
            // Long lists of conditions are written by programs; long sums are not.
            chain += usize::from(level > 1);
            if chain > super::MAX_CHAIN {
                let message = format!("more than {} operators follow one another", super::MAX_CHAIN);
                return Err(self.error("TQ0002", self.peek().span, message));
            }
            let op_span = self.bump().span;
            if self.is_word("nil") {
                left = self.nil_on_the_right(left, op, op_span)?;
                continue;
            }
            self.check_doubled(op, op_span)?;
            let right =
                self.nested(|parser| parser.field_expr(if op == BinaryOp::Power { level } else { level + 1 }))?;
            let span = left.span.to(right.span);
            let kind = FieldExprKind::Binary { op, op_span, left: Box::new(left), right: Box::new(right) };
            left = FieldExpr { kind, span };
        }
        Ok(left)
    }

    fn count_operator(&mut self) -> Result<()> {
        self.operators += 1;
        if self.operators > super::MAX_OPERATORS {
            let message = format!("the query has more than {} operators", super::MAX_OPERATORS);
            return Err(self.error("TQ0002", self.peek().span, message));
        }
        Ok(())
    }

    /// `== ` and `<>`, which other languages have.
    fn check_doubled(&self, op: BinaryOp, op_span: Span) -> Result<()> {
        let next = self.peek();
        let adjacent = next.span.start == op_span.end;
        let both = op_span.to(next.span);
        match (op, &next.kind) {
            (BinaryOp::Equal, TokenKind::Op(Op::Binary(BinaryOp::Equal))) if adjacent => {
                Err(self.error("TQ0202", both, "`==` is no operator").with_help("write `=`"))
            }
            (BinaryOp::Less, TokenKind::Op(Op::Binary(BinaryOp::Greater))) if adjacent => {
                Err(self.error("TQ0202", both, "`<>` is no operator").with_help("write `!=`"))
            }
            _ => Ok(()),
        }
    }

    /// `field-expr , ( "=" | "!=" ) , "nil"`
    fn nil_on_the_right(&mut self, operand: FieldExpr, op: BinaryOp, op_span: Span) -> Result<FieldExpr> {
        let nil = self.bump().span;
        let negated = nil_operator(op).ok_or_else(|| misplaced_nil(op_span.to(nil)))?;
        let span = operand.span.to(nil);
        Ok(FieldExpr { kind: FieldExprKind::Exists { operand: Box::new(operand), negated }, span })
    }

    /// `"nil" , ( "=" | "!=" ) , ( "nil" | field-expr )`
    fn nil_on_the_left(&mut self) -> Result<FieldExpr> {
        let nil = self.bump().span;
        let TokenKind::Op(Op::Binary(op)) = self.peek().kind else { return Err(misplaced_nil(nil)) };
        let op_span = self.bump().span;
        let negated = nil_operator(op).ok_or_else(|| misplaced_nil(nil.to(op_span)))?;
        if self.is_word("nil") {
            let span = nil.to(self.bump().span);
            return Ok(FieldExpr { kind: FieldExprKind::Literal(Literal::Bool(false)), span });
        }
        let operand = self.nested(|parser| parser.field_expr(COMPARE + 1))?;
        let span = nil.to(operand.span);
        Ok(FieldExpr { kind: FieldExprKind::Exists { operand: Box::new(operand), negated }, span })
    }

    /// `( "-" | "!" ) , field-expr | "(" , field-expr , ")" | static | attr`
    fn operand(&mut self) -> Result<FieldExpr> {
        let token = self.peek().clone();
        let literal = |literal| FieldExpr { kind: FieldExprKind::Literal(literal), span: token.span };
        let expr = match &token.kind {
            TokenKind::Op(Op::Binary(BinaryOp::Subtract)) => return self.unary(UnaryOp::Negate, SUM + 1),
            TokenKind::Op(Op::Not) => return self.unary(UnaryOp::Not, NOT + 1),
            TokenKind::Op(Op::OpenParen) => return self.parenthesised(),
            TokenKind::Word(word) if word == "nil" => return self.nil_on_the_left(),
            TokenKind::String(text) => literal(Literal::String(text.clone())),
            TokenKind::Int(value) => literal(Literal::Int(*value)),
            TokenKind::Float(value) => literal(Literal::Float(*value)),
            TokenKind::Duration(nanos) => literal(Literal::Duration(*nanos)),
            TokenKind::Word(word) if literal_word(word).is_some() => {
                literal(literal_word(word).unwrap_or(Literal::Bool(false)))
            }
            TokenKind::Word(_) | TokenKind::Scoped(..) | TokenKind::Attribute(..) => {
                let field = self.field()?;
                return Ok(FieldExpr { kind: FieldExprKind::Field(field), span: token.span });
            }
            _ => return Err(self.unexpected("a value")),
        };
        self.bump();
        Ok(expr)
    }

    fn unary(&mut self, op: UnaryOp, min: u8) -> Result<FieldExpr> {
        self.count_operator()?;
        let start = self.bump().span;
        let operand = self.nested(|parser| parser.field_expr(min))?;
        let span = start.to(operand.span);
        Ok(FieldExpr { kind: FieldExprKind::Unary { op, operand: Box::new(operand) }, span })
    }

    fn parenthesised(&mut self) -> Result<FieldExpr> {
        let open = self.bump().span;
        let expr = self.nested(|parser| parser.field_expr(0))?;
        match self.eat(Op::CloseParen) {
            Some(_) => Ok(expr),
            None => Err(self.after_operand(open)),
        }
    }

    /// An operand is complete, and neither an operator nor the closing bracket of `open` follows.
    pub(super) fn after_operand(&self, open: Span) -> Box<Diagnostic> {
        let token = self.peek();
        let help = match &token.kind {
            TokenKind::Word(word) if word.eq_ignore_ascii_case("and") => Some("write `&&`"),
            TokenKind::Word(word) if word.eq_ignore_ascii_case("or") => Some("write `||`"),
            TokenKind::Word(word) if word.eq_ignore_ascii_case("in") => {
                Some("compare with each value: `.x = 1 || .x = 2`, or with a regular expression: `.x =~ \"a|b\"`")
            }
            TokenKind::Word(word) if word.eq_ignore_ascii_case("like") => {
                Some("match a regular expression: `.x =~ \"a.*\"`")
            }
            TokenKind::Op(Op::Comma) => Some("join conditions with `&&` or `||`"),
            _ => None,
        };
        let error = self.unexpected("an operator or the closing bracket").related(open, "of this one");
        Box::new(match help {
            Some(help) => error.help(help),
            None => error,
        })
    }
}

/// Whether an operator may have `nil` beside it, and if so whether it asks for absence.
fn nil_operator(op: BinaryOp) -> Option<bool> {
    match op {
        BinaryOp::Equal => Some(true),
        BinaryOp::NotEqual => Some(false),
        _ => None,
    }
}

fn misplaced_nil(span: Span) -> Box<Diagnostic> {
    let help = "write `.x = nil` for spans without an attribute, `.x != nil` for spans with it";
    Diagnostic::new("TQ0203", span, "`nil` can only be compared with `=` and `!=`").help(help).into()
}

/// The constant that a word stands for.
fn literal_word(word: &str) -> Option<Literal> {
    Some(match word {
        "true" => Literal::Bool(true),
        "false" => Literal::Bool(false),
        "minInt" => Literal::Int(i64::MIN),
        "maxInt" => Literal::Int(i64::MAX),
        "unset" => Literal::Status(Status::Unset),
        "ok" => Literal::Status(Status::Ok),
        "error" => Literal::Status(Status::Error),
        "unspecified" => Literal::Kind(Kind::Unspecified),
        "internal" => Literal::Kind(Kind::Internal),
        "server" => Literal::Kind(Kind::Server),
        "client" => Literal::Kind(Kind::Client),
        "producer" => Literal::Kind(Kind::Producer),
        "consumer" => Literal::Kind(Kind::Consumer),
        _ => return None,
    })
}
