//! The questions of a table, cold and warm.

use std::path::Path;

use clap::Args;
use traceql::Engine;
use tracestore::Snapshot;

use crate::{Result, ask::Asker, cold::ask_cold, queries::Question, report::QueryFigures, warm::ask_warm};

#[derive(Debug, Clone, Args)]
pub(crate) struct Measure {
    /// Only questions that contain this text.
    #[arg(long)]
    only: Option<String>,
    /// How often each question is asked warm.
    #[arg(long, default_value_t = 50)]
    pub(crate) repeat: usize,
    /// How often each question is asked cold, by a new process each time; the one in the middle counts.
    #[arg(long, default_value_t = 3)]
    cold: usize,
}

impl Measure {
    /// The figures of all wanted questions.
    pub(crate) fn measure<'q>(
        &self,
        store: &Path,
        questions: impl IntoIterator<Item = &'q Question>,
    ) -> Result<Vec<QueryFigures>> {
        let wanted = |question: &&Question| self.only.as_ref().is_none_or(|only| question.text.contains(only.as_str()));
        let questions: Vec<_> = questions.into_iter().filter(wanted).collect();
        // The system forgets nothing that is mapped: the store is not open while others ask cold.
        let traces = Asker::new(open(store)?, Vec::new())?.sample_traces()?;
        let mut cold = Vec::with_capacity(questions.len());
        for question in &questions {
            cold.push(ask_cold(store, question, traces.first().copied(), self.cold)?);
        }
        let asker = Asker::new(open(store)?, traces)?;
        let figures = questions.iter().zip(cold);
        figures
            .map(|(question, cold)| Ok(QueryFigures::new(question, cold, ask_warm(&asker, question, self.repeat)?)))
            .collect()
    }
}

/// An engine over a store.
pub(crate) fn open(store: &Path) -> Result<Engine> {
    Ok(Engine::new(Snapshot::open(&[store.to_owned()])?))
}
