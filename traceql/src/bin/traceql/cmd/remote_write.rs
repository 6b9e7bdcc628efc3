//! `traceql span-metrics --remote-write`: series go to a receiver.

use std::{io::Write, path::PathBuf, sync::Arc, time::Duration};

use tracestore::{
    io::{DiskVfs, MemoryVfs, Vfs},
    spanmetrics::{Exposition, RemoteWrite, RemoteWriteOptions},
};

use super::span_metrics::Made;
use crate::{
    args,
    exit::{Failure, IO},
};

/// Bytes of requests that wait before more are made: the past is long, and memory is not.
const MAX_QUEUED: u64 = 1 << 20;

pub(super) fn send(
    url: &str,
    args: &args::RemoteWrite,
    exemplar_label: &str,
    made: &Made,
    time: u64,
) -> Result<u8, Failure> {
    let mut options = RemoteWriteOptions::new(url);
    options.max_age = Duration::from_nanos(args.outage.0);
    exemplar_label.clone_into(&mut options.exemplar_label);
    for args::Header(name, value) in &args.headers {
        options = options.with_header(name, value);
    }
    if let Some((user, password)) = args.basic_auth.as_ref().map(|text| text.split_once(':').unwrap_or((text, ""))) {
        options = options.with_basic_auth(user, password);
    }
    if let Some(token) = &args.bearer_token {
        options = options.with_bearer_token(token);
    }
    let (vfs, folder): (Arc<dyn Vfs>, PathBuf) = match &args.spool {
        Some(folder) => (Arc::new(DiskVfs::default()), folder.clone()),
        None => (Arc::new(MemoryVfs::default()), PathBuf::from("spool")),
    };
    let remote = RemoteWrite::open(vfs, folder, options)?;
    match made.histories() {
        None => made.write(&mut remote.samples(time))?,
        Some(mut histories) => loop {
            let mut samples = remote.samples(time);
            let mut more = false;
            for history in &mut histories {
                more |= history.write_next(&mut samples)?;
            }
            if !more {
                break;
            }
            samples.finish()?;
            // It ends in any case: what waits for too long is dropped.
            let _ = remote.wait(MAX_QUEUED, Duration::MAX);
        },
    }
    let _ = remote.wait(0, Duration::MAX);
    report(&remote)
}

/// Says what became of the samples.
fn report(remote: &RemoteWrite) -> Result<u8, Failure> {
    let status = remote.status();
    writeln!(std::io::stdout(), "{} samples sent", status.sent)?;
    if status.damaged_requests > 0 {
        eprintln!("traceql: the spool has lost {} requests: its files are damaged", status.damaged_requests);
    }
    if status.lost() == 0 {
        return Ok(0);
    }
    let why = status.last_error.as_deref().unwrap_or("no answer");
    let (refused, expired, overflowed) = (status.refused, status.expired, status.overflowed);
    eprintln!(
        "traceql: {} samples not sent: {refused} refused, {expired} waited for too long, {overflowed} had no room: {why}",
        status.lost()
    );
    Ok(IO)
}
