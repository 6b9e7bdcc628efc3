//! The `traceql` command: arguments in, results on standard output, everything else on standard error, exit codes that
//! scripts can rely on. No query logic is here.

mod args;
mod cmd;
mod exit;
mod output;
mod terminal;
mod time;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = args::Args::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("traceql: the runtime cannot be started: {error}");
            return ExitCode::from(exit::IO);
        }
    };
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = cmd::run(args) => outcome,
            _ = tokio::signal::ctrl_c() => Ok(exit::INTERRUPTED),
        }
    });
    // What still runs on the pool is not waited for.
    runtime.shutdown_background();
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure.report(),
    }
}
