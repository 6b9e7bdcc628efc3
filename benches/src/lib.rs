//! What the benchmarks share: a generated workload, stores of it in memory, and what a process has used. The command is
//! `trace-benches`; small benchmarks are in the folder `benches` beside this one.

pub mod memory;
pub mod process;
pub mod workload;

/// What can go wrong here; nobody asks what kind it was.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
