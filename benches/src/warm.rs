//! Questions asked again and again by one process.

use std::time::Instant;

use trace_benches::process;

use crate::{
    Result,
    ask::{Answer, Asker},
    queries::Question,
};

/// Rounds that do not count.
const ROUNDS_BEFORE: usize = 2;

/// What a question took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WarmFigures {
    pub(crate) median_ms: f64,
    pub(crate) p99_ms: f64,
    /// CPU time of all threads, in the mean.
    pub(crate) cpu_ms: f64,
    /// The last answer.
    pub(crate) answer: Answer,
}

pub(crate) fn ask_warm(asker: &Asker, question: &Question, repeat: usize) -> Result<WarmFigures> {
    let repeat = repeat.max(1);
    let mut answer = Answer::default();
    for _ in 0..ROUNDS_BEFORE {
        answer = asker.ask(question)?;
    }
    let mut times = Vec::with_capacity(repeat);
    let before = process::cpu_seconds();
    for _ in 0..repeat {
        let begun = Instant::now();
        answer = asker.ask(question)?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let cpu_ms = (process::cpu_seconds() - before) * 1e3 / repeat as f64;
    let [median_ms, p99_ms] = quantiles(&mut times, [0.5, 0.99]);
    Ok(WarmFigures { median_ms, p99_ms, cpu_ms, answer })
}

/// Values at these shares of the sorted list; 0 where it is empty.
pub(crate) fn quantiles<const N: usize>(values: &mut [f64], shares: [f64; N]) -> [f64; N] {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1) as f64;
    shares.map(|share| values.get((last * share).round() as usize).copied().unwrap_or(0.0))
}
