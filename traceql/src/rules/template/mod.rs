//! The templates of labels and annotations: text with `{{ $value }}`, `{{ $labels.name }}` and the `humanize`
//! functions. A part of what Prometheus takes from Go's templates; expanding never fails.

mod humanize;
mod parse;

use humanize::Function;
pub(super) use parse::read;

use super::labels::{Labels, prometheus_name};

/// A template that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    /// `{{ operand | function | … }}`
    Print(Operand, Vec<Function>),
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Value,
    Label(String),
    Text(String),
}

impl Template {
    /// What it says of a series. A label that there is none of is empty.
    #[must_use]
    pub fn expand(&self, labels: &Labels, value: f64) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Print(operand, functions) => {
                    let text = match operand {
                        Operand::Value => humanize::plain(value),
                        Operand::Label(name) => label(labels, name).unwrap_or("").to_owned(),
                        Operand::Text(text) => text.clone(),
                    };
                    out.push_str(&functions.iter().fold(text, |text, function| function.apply(&text)));
                }
            }
        }
        out
    }

    /// The labels that it names.
    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Print(Operand::Label(name), _) => Some(name.as_str()),
            _ => None,
        })
    }
}

/// A label by its name, or else by what its name is in Prometheus.
fn label<'l>(labels: &'l Labels, name: &str) -> Option<&'l str> {
    let plain = || labels.iter().find(|(other, _)| prometheus_name(other) == name).map(|(_, value)| value);
    labels.get(name).or_else(plain).map(String::as_str)
}
