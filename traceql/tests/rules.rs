//! Alert and recording rules: states of alerts scenario by scenario and against their definition, templates, faults of
//! rule files, unit tests of rules, and what the command makes of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "rules/command.rs"]
mod command;
#[path = "rules/faults.rs"]
mod faults;
#[path = "rules/laws.rs"]
mod laws;
#[path = "rules/script.rs"]
mod script;
#[path = "rules/states.rs"]
mod states;
#[path = "rules/templates.rs"]
mod templates;
#[path = "rules/unit.rs"]
mod unit;
