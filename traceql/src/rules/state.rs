//! What an evaluator knows between evaluations, as a value that a host can keep with serde.

use serde::{Deserialize, Serialize};

use super::{
    alert::Alert,
    file::{Rule, RuleFile},
};

/// The alerts that there are, and when rules were evaluated last. Not bound to a version of a rule file: groups and
/// rules are found by their names.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The groups.
    pub groups: Vec<GroupState>,
}

/// What is known of a group.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupState {
    /// Its name.
    pub name: String,
    /// When it was evaluated last, ns since 1970; `None` before that.
    pub evaluated_at: Option<u64>,
    /// Its rules, those that record included.
    pub rules: Vec<RuleState>,
}

/// What is known of a rule.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleState {
    /// Its name. Of several rules of that name in a group, the first state is the first one's.
    pub name: String,
    /// Its alerts, by their labels.
    pub alerts: Vec<Alert>,
}

impl State {
    /// This state arranged as the rules are, group by group and rule by rule; and the alerts of rules that are no more,
    /// each with the name of its group.
    pub(super) fn arranged(mut self, rules: &RuleFile) -> (Self, Vec<(String, Alert)>) {
        let mut groups = Vec::with_capacity(rules.groups.len());
        for group in &rules.groups {
            let place = self.groups.iter().position(|known| known.name == group.name);
            let mut known = place.map(|place| self.groups.swap_remove(place)).unwrap_or_default();
            let states = group.rules.iter().map(|rule| {
                let wanted = |state: &RuleState| matches!(rule, Rule::Alert(_)) && state.name == rule.name();
                let place = known.rules.iter().position(wanted);
                let alerts = place.map(|place| known.rules.remove(place).alerts);
                RuleState { name: rule.name().to_owned(), alerts: alerts.unwrap_or_default() }
            });
            let rules: Vec<RuleState> = states.collect();
            groups.push(GroupState { name: group.name.clone(), evaluated_at: known.evaluated_at, rules });
            if known.rules.iter().any(|rule| !rule.alerts.is_empty()) {
                self.groups.push(known);
            }
        }
        let left = self.groups.into_iter().flat_map(|group| {
            let alerts = group.rules.into_iter().flat_map(|rule| rule.alerts);
            alerts.map(move |alert| (group.name.clone(), alert))
        });
        let left = left.collect();
        (Self { groups }, left)
    }
}
