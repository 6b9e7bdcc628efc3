//! `traces_target_info`: the attributes of resources, joined to the other series by `job` and `instance`.

use super::{
    config::SpanMetricsConfig,
    labels::{LabelBuffer, sanitize_label},
    span::ResourceFacts,
    value::AttributeValue,
};

/// What identifies a target, and is not among its other labels.
const IDENTITY: [&str; 3] = ["service.name", "service.namespace", "service.instance.id"];

/// Which target a span is of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// `namespace/name`, or the name alone.
    pub(crate) job: String,
    pub(crate) instance: String,
}

impl Target {
    pub(crate) fn of(resource: &ResourceFacts<'_>, config: &SpanMetricsConfig) -> Self {
        let text = |key| match resource.attributes.get(key) {
            Some(AttributeValue::String(text)) => text,
            _ => "",
        };
        let job = match (text("service.namespace"), resource.service) {
            ("", name) => name.to_owned(),
            (_, "") => String::new(),
            (namespace, name) => format!("{namespace}/{name}"),
        };
        let instance = if config.instance_label { text("service.instance.id").to_owned() } else { String::new() };
        Self { job, instance }
    }

    /// The labels of the target's info; whether there is one: it identifies something, and says something about it.
    pub(crate) fn labels(
        &self,
        resource: &ResourceFacts<'_>,
        config: &SpanMetricsConfig,
        buffer: &mut LabelBuffer,
    ) -> bool {
        if self.job.is_empty() && self.instance.is_empty() {
            return false;
        }
        buffer.clear();
        buffer.push("job", &self.job);
        buffer.push("instance", &self.instance);
        let mut labels: Vec<(String, String)> = Vec::new();
        resource.attributes.for_each(&mut |key, value| {
            let excluded = config.target_info_excluded.iter().any(|excluded| excluded == key);
            if !IDENTITY.contains(&key) && !excluded {
                let label = match sanitize_label(key) {
                    label if label == "job" || label == "instance" => format!("__{label}"),
                    label => label,
                };
                labels.push((label, value.text().into_owned()));
            }
        });
        // Of keys that become one label the first counts, in whatever order a sender writes them.
        labels.sort_by(|a, b| a.0.cmp(&b.0));
        labels.dedup_by(|later, first| later.0 == first.0);
        labels.retain(|(_, value)| !value.is_empty());
        labels.iter().for_each(|(label, value)| buffer.push(label, value));
        !labels.is_empty()
    }
}
