//! What a `SELECT` says in short, written out.

use datafusion::sql::sqlparser::ast::{Expr, Select, SelectFlavor, SelectItem, WildcardAdditionalOptions};

/// `FROM spans` asks for all columns; `*, "http.method"` for all with the attribute among them, which `*` has as soon as
/// the statement names it.
pub(super) fn write_out(select: &mut Select) {
    let star = SelectItem::Wildcard(WildcardAdditionalOptions::default());
    if select.flavor == SelectFlavor::FromFirstNoSelect && select.projection.is_empty() {
        select.projection.push(star);
    } else if select.projection.contains(&star) {
        select.projection.retain(|item| match item {
            SelectItem::UnnamedExpr(Expr::Identifier(name)) => name.quote_style.is_none(),
            _ => true,
        });
    }
}
